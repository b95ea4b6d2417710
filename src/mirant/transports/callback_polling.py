"""The callback-polling transport (JSONP): messages in the query of a GET, answers as a call in a script.

Bayeux 1.0, section 6.3. It is for pages that can do nothing but add script elements, and off unless asked
for: a response is a script that any page can include.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, Final
from urllib.parse import parse_qs

from mirant.bayeux.codec import BodyInvalid
from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.transports.long_polling import MAX_FIELDS, Exchange, join_messages
from mirant.transports.response import Headers, Response

# As the reference server: dots are for dojo, whose callbacks are "dojo.io.script.jsonp_…._jsonpCallback".
_CALLBACK: Final = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9._$\-]{0,127}")


def text_of(query: bytes) -> str:
    """Return *query* as text; what is not UTF-8 is refused when it is read."""
    return query.decode("utf-8", "surrogateescape")


def callback_of(query: str) -> str | None:
    """Return the name of the function that *query* wants called; None if that is not callback-polling."""
    names = parse_qs(query).get("jsonp", [])
    return names[0] if len(names) == 1 and _CALLBACK.fullmatch(names[0]) else None


def body_of(query: str) -> bytes:
    """Return the messages in *query*, which may come in several parameters, as one JSON array.

    Raises:
        BodyInvalid: there is none.
    """
    try:
        fields = parse_qs(query, errors="strict", max_num_fields=MAX_FIELDS)
        texts = [text.encode() for text in fields.get("message", [])]  # fails too where it is not UTF-8
    except ValueError as error:
        raise BodyInvalid(f"the query cannot be read: {error}") from None
    return join_messages(texts)


class ScriptExchange(Exchange):
    """One GET, answered by a script that calls a function with the messages."""

    __slots__ = ("_callback", "_query")

    transport: ClassVar[str] = "callback-polling"
    connect_only: ClassVar[bool] = True

    def __init__(self, core: Core, request: Request, answer: Callable[[Response], bool]) -> None:
        """Begin with *request*, whose query names the function to call."""
        super().__init__(core, request, answer)
        self._query = text_of(request.query.encode("latin-1"))
        callback = callback_of(self._query)
        assert callback is not None, "without a callback it is not callback-polling"
        self._callback = callback

    def messages_in(self, body: bytes) -> bytes:
        """Return the JSON in the query: the *body* of a GET means nothing."""
        return body_of(self._query)

    def wrap(self, body: bytes, headers: Headers) -> Response:
        # "/**/" keeps the response from beginning with bytes of the caller's choice (the Rosetta Flash
        # attack); U+2028 and U+2029 end a line in older JavaScript, though not in JSON.
        text = body.decode().replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        script = f"/**/{self._callback}({text});".encode()
        guarded = (*headers, ("x-content-type-options", "nosniff"))
        return Response(200, script, "text/javascript;charset=utf-8", guarded)
