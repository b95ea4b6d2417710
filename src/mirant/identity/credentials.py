"""Finding tokens: in the ``ext`` of a message, or in a header, a cookie or the query of its request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import unquote

import msgspec

from mirant.bayeux.messages import Message
from mirant.bus.request import Request
from mirant.identity.token_invalid import Reason, TokenInvalid

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Presented:
    """A token that a client presents, or what is wrong with the way it is presented."""

    token: str
    #: Whether the client put it into the message itself. A browser adds what is in the request by itself, and
    #: to every request; on a WebSocket it is what the browser had when the connection was opened.
    deliberate: bool
    fault: TokenInvalid | None = None


class _Source(ABC):
    """One place where a token may be, such as the cookie called *name*."""

    __slots__ = ("name",)

    in_message: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def find(self, message: Message, request: Request) -> str:
        """Return the token there; an empty text if there is none.

        Raises:
            TokenInvalid: what is there cannot be a token.
        """


class _Ext(_Source):
    __slots__ = ("field", "steps")

    in_message = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.field, *self.steps = name.split(".")  # the field of ext, and the way from there

    def find(self, message: Message, request: Request) -> str:
        raw = (message.ext or {}).get(self.field)
        if raw is None:
            return ""
        try:
            value: Any = _decode(raw)
        except (ValueError, RecursionError):  # the bus checks a body only as far as it reads it
            raise TokenInvalid(Reason.MALFORMED, "ext is not JSON") from None
        for step in self.steps:
            value = value.get(step) if isinstance(value, dict) else None
        if value is None or isinstance(value, str):
            return value or ""
        raise TokenInvalid(Reason.MALFORMED, "it is not a text")


class _Header(_Source):
    __slots__ = ()

    def find(self, message: Message, request: Request) -> str:
        value = request.headers.get(self.name.lower(), "").strip()
        if self.name.lower() != "authorization":
            return value
        scheme, _, credentials = value.partition(" ")
        # Another scheme is not for the bus: a proxy may ask for a password before it passes a request on.
        return credentials.strip() if scheme.lower() == "bearer" else ""


class _Cookie(_Source):
    __slots__ = ()

    def find(self, message: Message, request: Request) -> str:
        # Not http.cookies: it gives up on the whole header when another cookie is malformed.
        pairs = (part.strip().partition("=") for part in request.headers.get("cookie", "").split(";"))
        return _only(value.strip().strip('"') for name, _, value in pairs if name.strip() == self.name)


class _Query(_Source):
    __slots__ = ()

    def find(self, message: Message, request: Request) -> str:
        pairs = (part.partition("=") for part in request.query.split("&"))
        return _only(unquote(value) for name, _, value in pairs if unquote(name) == self.name)


_SOURCES: Final[dict[str, Callable[[str], _Source]]] = {"header": _Header, "cookie": _Cookie, "query": _Query}


class Credentials:
    """Finds the token of a message."""

    __slots__ = ("_sources",)

    def __init__(self, places: Sequence[str]) -> None:
        """Look in *places*, such as ``ext.token`` or ``cookie:session``, those in the message first.

        A token in the message is newer than one in its request: a WebSocket has one request for all messages.
        """
        self._sources = sorted(map(_source, places), key=lambda source: not source.in_message)

    def of(self, message: Message, request: Request) -> Presented | None:
        """Return the token in the first place that has one, or None.

        If that token is invalid, no other place is tried. Otherwise an attacker who can spoil the token in
        one place could make the one in another place count.
        """
        for source in self._sources:
            try:
                token = source.find(message, request)
            except TokenInvalid as fault:
                return Presented("", source.in_message, fault)
            if token:
                return Presented(token, source.in_message)
        return None

    def conceal(self, message: Message) -> None:
        """Remove the fields of ``ext`` that hold tokens from *message*, before other clients see it."""
        names = {source.field for source in self._sources if isinstance(source, _Ext)}
        if message.ext is not None and not names.isdisjoint(message.ext):
            message.ext = {name: raw for name, raw in message.ext.items() if name not in names} or None


def _source(place: str) -> _Source:
    kind, _, name = place.partition(":")
    return _SOURCES[kind](name) if name else _Ext(place.removeprefix("ext."))


def _only(values: Iterable[str]) -> str:
    """Return the only one of *values*; an empty text if there is none.

    Raises:
        TokenInvalid: there are several different ones. A page of a neighbouring domain can add a cookie, and
            it can choose which one comes first.
    """
    different = set(filter(None, values))
    if len(different) > 1:
        raise TokenInvalid(Reason.AMBIGUOUS, "there are several in one place")
    return different.pop() if different else ""
