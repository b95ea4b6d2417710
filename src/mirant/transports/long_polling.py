"""The long-polling transport: messages in the body of a POST, answers in its response.

Bayeux 1.0, section 6.2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.messages import Message
from mirant.bus.carrier import MAX_RESPONSE, Carrier, Outgoing
from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.transports.cookies import set_cookie
from mirant.transports.forms import values_of
from mirant.transports.response import Headers, Response, refuse

_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([^\s;\"]{1,40})", re.IGNORECASE)
_CHARSETS: Final = {"us-ascii", "iso-8859-1", "utf-16", "utf-16le", "utf-16be"}


class CharsetUnknown(Exception):
    """The body is in an encoding that is not supported."""


class Exchange(Carrier[Session]):
    """One request with messages, and its response."""

    __slots__ = ("_answer", "_core", "replies_only")

    transport: ClassVar[str] = "long-polling"

    def __init__(self, core: Core, request: Request, answer: Callable[[Response], bool]) -> None:
        """Begin with *request*; *answer* will be called once, when the response is known.

        It returns whether the response can be sent.
        """
        self._core = core
        self._answer = answer
        self.request = request
        self.session = None
        self.browser = core.browsers.of(request)
        #: Whether deliveries are left for another answer: this one may not be read.
        self.replies_only = False

    def read(self, body: bytes) -> list[Message] | None:
        """Return the messages of the request; or None, having answered.

        An empty array is answered with an empty array; what is not Bayeux, with the reason.

        The content type hardly matters: clients in use send JSON under several, or under none, and forms
        under ``text/plain``.
        """
        try:
            return self.decode(self.messages_in(body))
        except CharsetUnknown as error:
            self._answer(refuse(415, str(error)))
        except BodyInvalid as error:
            self._answer(refuse(400, f"This is not a Bayeux message: {error}."))
        return None

    def decode(self, text: bytes) -> list[Message] | None:
        """Return the messages in the JSON *text*; or None, having answered why there are none."""
        limits = self._core.settings
        try:
            messages = decode(text, max_size=limits.max_body, max_batch=limits.max_batch)
            if messages:
                return messages
            self._answer(self.wrap(b"[]", ()))  # a sign of life, which asks for nothing
        except BodyInvalid as error:
            self._answer(refuse(400, f"This is not a Bayeux message: {error}."))
        except BodyTooLarge as error:
            self._answer(refuse(413, f"This is more than the server takes at once: {error}."))
        return None

    def messages_in(self, body: bytes) -> bytes:
        """Return the JSON of the request, whose body is *body*.

        Raises:
            BodyInvalid: there is none.
            CharsetUnknown: it is in an encoding that is not supported.
        """
        return _from_form(_to_utf8(body, self.request))

    def room(self, session: Session) -> int:
        return 0 if self.replies_only else MAX_RESPONSE

    def send(self, out: Outgoing) -> bool:
        headers = self._new_cookie() if out.opens else ()
        before = [delivery.payload for batch in out.before for delivery in batch.deliveries]
        body = b"[%b]" % b",".join([*before, *out.replies, *out.after])
        return self._answer(self.wrap(body, headers))

    def wrap(self, body: bytes, headers: Headers) -> Response:
        """Return the response with *body*, a JSON array."""
        return Response(200, body, headers=headers)

    def _new_cookie(self) -> Headers:
        """Return the header that gives the client its cookie, if it does not have it as it should be."""
        core = self._core
        if self.request.anonymous:
            return ()  # browsers keep what they are given, and it would take the place of the visitor's own
        if self.browser is None:
            value: str | None = core.browsers.issue(self.request, core.now())
        elif core.settings.cookie_max_age:
            value = core.browsers.prolonged(self.request, self.browser)
        else:
            value = core.browsers.renewed(self.request, self.browser)
        return () if value is None else (("set-cookie", set_cookie(core.settings, value, self.request)),)


def join_messages(texts: Sequence[bytes]) -> bytes:
    """Return the messages in *texts*, each an object or an array of them, as one JSON array.

    Raises:
        BodyInvalid: there is none.
    """
    if not texts:
        raise BodyInvalid("there is no message in it")
    if len(texts) == 1:
        return texts[0]
    return b"[%b]" % b",".join(filter(None, map(_without_brackets, texts)))  # an empty array adds nothing


def _without_brackets(text: bytes) -> bytes:
    bare = text.strip()
    return bare[1:-1].strip() if bare[:1] == b"[" and bare[-1:] == b"]" else bare


def _from_form(body: bytes) -> bytes:
    """Return the JSON in *body*, which older clients send as a form: ``message=…``, percent-encoded."""
    return join_messages(values_of(body, b"message")) if body.startswith(b"message=") else body


def is_utf8(charset: str) -> bool:
    """Whether that is what *charset* means."""
    return charset in ("utf-8", "utf8")


def charset_of(request: Request) -> str:
    """Return the charset that *request* says its body is in, in lower case."""
    found = _CHARSET.search(request.headers.get("content-type", ""))
    return found[1].lower() if found else "utf-8"


def _to_utf8(body: bytes, request: Request) -> bytes:
    charset = charset_of(request)
    if is_utf8(charset):
        return body
    if charset not in _CHARSETS:
        raise CharsetUnknown(f"The charset {charset!r} is not supported. Send JSON in UTF-8.")
    try:
        return body.decode(charset).encode()
    except UnicodeError:
        raise BodyInvalid(f"the body is not {charset}") from None
