"""A session as applications see it."""

from __future__ import annotations

from typing import Any

from mirant.bayeux.channels import Pattern
from mirant.bus.extension import Extension, own_extensions
from mirant.bus.identity import Identity
from mirant.bus.session import Ending, Session


class SessionFace:
    """One client's session: what an application may know of it, and what it may change.

    Two of them are equal if they are the same session. Durations are seconds.
    """

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def id(self) -> str:
        """The clientId. It is a credential: do not show it to others."""
        return self._session.record.id

    @property
    def identity(self) -> Identity | None:
        """Who the client is; None if the bus does not authenticate, or let it in as nobody."""
        return self._session.record.identity

    @property
    def address(self) -> str | None:
        """The IP address that the handshake came from, as far as it is known."""
        return self._session.record.address

    @property
    def subscriptions(self) -> frozenset[Pattern]:
        """What the session is subscribed to now."""
        return frozenset(self._session.record.subscriptions)

    @property
    def attributes(self) -> dict[str, Any]:
        """A place for the application's own data about this session, in this process."""
        return self._session.attributes

    @property
    def ended(self) -> bool:
        """Whether the session is over; messages for it go nowhere then."""
        return self._session.ended

    @property
    def ending(self) -> Ending | None:
        """Why it ended; None if it has not."""
        return self._session.ending

    @property
    def timeout(self) -> float:
        """For how long its connects are held."""
        return self._session.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._session.timeout = seconds

    @property
    def max_interval(self) -> float:
        """For how long it lives on without hearing of its client."""
        return self._session.max_interval

    @max_interval.setter
    def max_interval(self, seconds: float) -> None:
        self._session.max_interval = seconds

    @property
    def echo(self) -> bool:
        """Whether it gets what it publishes itself."""
        return self._session.echo

    @echo.setter
    def echo(self, echo: bool) -> None:
        self._session.echo = echo

    @property
    def connect_only(self) -> bool:
        """Whether messages leave with answers to /meta/connect only."""
        return self._session.connect_only

    @connect_only.setter
    def connect_only(self, connect_only: bool) -> None:
        self._session.connect_only = connect_only

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """Extensions of this session alone, in the order in which they run."""
        return own_extensions(self._session)

    @extensions.setter
    def extensions(self, extensions: tuple[Extension, ...]) -> None:
        self._session.extensions = extensions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SessionFace) and other._session is self._session

    def __hash__(self) -> int:
        return hash(self._session)

    def __repr__(self) -> str:
        return repr(self._session)


def behind(face: SessionFace | Session) -> Session:
    """Return the session itself. For the bus's own functions that take one from an application.

    An extension, which is a part of the bus, has the session itself.
    """
    if isinstance(face, Session):
        return face
    return face._session  # noqa: SLF001  # the one way from a face back
