"""The long-polling transport: messages in the body of a POST, answers in its response.

Bayeux 1.0, section 6.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message as Header
from typing import ClassVar, Final

from mirant.bayeux.messages import BodyInvalid, BodyTooLarge, Message, decode
from mirant.bus.browsers import COOKIE
from mirant.bus.carrier import Carrier, Request, Turn
from mirant.bus.core import Core

# How much of an outbox rides on one answer. What is left makes the next /meta/connect return at once.
# Clients bound what they read: CometD Java 1 MiB.
MAX_RESPONSE: Final = 512 * 1024

_CHARSETS: Final = {"utf-8", "utf8", "us-ascii", "iso-8859-1", "utf-16", "utf-16le", "utf-16be"}


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered to a request. `headers` come beside the content type and length, which are implied."""

    status: int
    body: bytes
    content_type: str = "application/json;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def refuse(status: int, sentence: str, *headers: tuple[str, str]) -> Response:
    """Return the response to a request that is not Bayeux: *status* and a sentence for a person."""
    return Response(status, f"{sentence}\n".encode(), "text/plain;charset=utf-8", headers)


class Exchange(Carrier):
    """One POST and its response."""

    __slots__ = ("_answer", "_core")

    transport: ClassVar[str] = "long-polling"

    def __init__(self, core: Core, request: Request, answer: Callable[[Response], None]) -> None:
        """Begin with *request*; *answer* will be called once, when the response is known."""
        self._core = core
        self._answer = answer
        self.request = request
        self.session = None
        self.browser = core.browsers.recognise(_cookie(request))

    def read(self, body: bytes) -> list[Message] | None:
        """Return the messages of the request; or None, having answered why it is none of Bayeux.

        The content type does not matter: clients in use send JSON under several, or under none.
        """
        limits = self._core.settings
        try:
            return decode(_to_utf8(body, self.request), max_size=limits.max_body, max_batch=limits.max_batch)
        except BodyInvalid as error:
            self._answer(refuse(400, f"This is not a Bayeux message: {error}."))
        except BodyTooLarge as error:
            self._answer(refuse(413, f"This is more than the server takes at once: {error}."))
        except LookupError as error:
            self._answer(refuse(415, f"{error} Send JSON in UTF-8."))
        return None

    def finish(self, turns: Sequence[Turn], replies: Sequence[bytes]) -> None:
        """Answer with what waits for the session, then the replies (which is the order clients rely on)."""
        parts: list[bytes] = []
        headers: tuple[tuple[str, str], ...] = ()
        handshaken = any(reply.client_id is not None for turn in turns for _, reply in turn.answers)
        if handshaken and self.browser is None:
            headers = (("set-cookie", self._new_cookie()),)
        session = turns[0].session
        if session is not None and not handshaken:
            parts = [delivery.payload for delivery in session.outbox.take(MAX_RESPONSE)]
        self._answer(Response(200, b"[%b]" % b",".join([*parts, *replies]), headers=headers))

    def _new_cookie(self) -> str:
        # Lax, as browsers assume: another site's page cannot send it along with a POST.
        secure = "; Secure" if self.request.secure else ""
        return f"{COOKIE}={self._core.browsers.issue()}; Path=/; HttpOnly; SameSite=Lax{secure}"


def _cookie(request: Request) -> str | None:
    # Not http.cookies: it gives up on the whole header when another cookie is malformed.
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value.strip('"')
    return None


def _to_utf8(body: bytes, request: Request) -> bytes:
    content_type = request.headers.get("content-type", "")
    if "charset" not in content_type:
        return body
    header = Header()
    header["content-type"] = content_type
    charset = (header.get_content_charset() or "utf-8").lower()
    if charset in ("utf-8", "utf8"):
        return body
    if charset not in _CHARSETS:
        raise LookupError(f"The charset {charset!r} is not supported.")
    try:
        return body.decode(charset).encode()
    except UnicodeError:
        raise BodyInvalid(f"the body is not {charset}") from None
