"""The callback-polling transport (JSONP): messages in the query of a GET, answers as a call in a script.

Bayeux 1.0, section 6.3. It is for pages that can do nothing but add script elements, and off unless asked
for: a response is a script that any page can include.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from mirant.bayeux.codec import BodyInvalid
from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.transports.forms import MAX_FIELDS, values_of
from mirant.transports.long_polling import Exchange, join_messages
from mirant.transports.response import Headers, Response

# As the reference server: dots are for dojo, whose callbacks are "dojo.io.script.jsonp_…._jsonpCallback".
_CALLBACK: Final = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9._$\-]{0,127}")


_DEFAULT: Final = "jsonpcallback"

# A page may have a parameter of that name too, but it does not begin like JSON.
_HAS_MESSAGE: Final = re.compile(rb"(?:^|&)message=(?:\+|%20|%09|%0a|%0d)*(?:[\[{]|%5b|%7b)", re.IGNORECASE)

# An answer has messages of one client, and a GET may be cached on its way (RFC 9111, section 3).
_UNCACHED: Final = ("cache-control", "no-store")


def callback_of(query: bytes) -> str | None:
    """Return the name of the function that *query* wants called; None if that is not callback-polling.

    Bayeux 1.0, section 6.3.1: the default is ``jsonpcallback``. It is taken only if the query has messages.
    """
    if b"jsonp=" not in query:
        return _DEFAULT if _HAS_MESSAGE.search(query) else None
    first = b"&".join(query.split(b"&", MAX_FIELDS)[:MAX_FIELDS])  # with more fields it is refused later
    try:
        names = values_of(first, b"jsonp")
    except BodyInvalid:
        return None
    name = names[0].decode("latin-1") if len(names) == 1 else ""
    return name if _CALLBACK.fullmatch(name) else None


class ScriptExchange(Exchange):
    """One GET, answered by a script that calls a function with the messages."""

    __slots__ = ("_callback", "_query")

    transport: ClassVar[str] = "callback-polling"
    connect_only: ClassVar[bool] = True

    def __init__(self, core: Core, request: Request, answer: Callable[[Response], bool]) -> None:
        """Begin with *request*, whose query names the function to call."""

        def answer_uncached(response: Response) -> bool:
            return answer(replace(response, headers=(*response.headers, _UNCACHED)))

        super().__init__(core, request, answer_uncached)
        self._query = request.query.encode("latin-1")
        callback = callback_of(self._query)
        assert callback is not None, "without a callback it is not callback-polling"
        self._callback = callback

    def messages_in(self, body: bytes) -> bytes:
        """Return the JSON in the query, and let go of that: the *body* of a GET means nothing."""
        query, self._query = self._query, b""
        return join_messages(values_of(query, b"message"))

    def wrap(self, body: bytes, headers: Headers) -> Response:
        # "/**/" keeps the response from beginning with bytes of the caller's choice (the Rosetta Flash
        # attack); U+2028 and U+2029 end a line in older JavaScript, though not in JSON.
        text = body.decode().replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        script = f"/**/{self._callback}({text});".encode()
        guarded = (*headers, ("x-content-type-options", "nosniff"))
        return Response(200, script, "text/javascript;charset=utf-8", guarded)
