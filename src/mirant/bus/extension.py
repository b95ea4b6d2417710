"""Extensions: what looks at every message of a bus, and may complete, change or refuse it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, ClassVar

from mirant.bayeux.messages import Delivery, Message, Reply

if TYPE_CHECKING:
    from mirant.bus.carrier import Turn
    from mirant.bus.session import Session


class Veto(Exception):
    """Raised by an extension or an application's hook to refuse a message.

    Its text is sent to the client between the colons of the error (``404:reason:message_deleted``), so keep
    it short and free of colons; without text the client learns only that the message was refused.
    """


class Dismiss(Exception):
    """Raised by an extension to end the session of a message; its client is told to stay away."""


class Extension:
    """The base of extensions: does nothing. They run in the order in which they were added.

    An extension is the bus's (it sees everything) or one session's (`Session.extensions`). A message of a
    session that the bus does not know never gets here.
    """

    #: Whether it has to see a /meta/connect that says nothing of its own (no `ext`, no `advice`), and the
    #: answer to it. A bus all of whose extensions say no answers them the short way (`plain_poll`).
    #: Not inherited.
    sees_plain_connects: ClassVar[bool] = True

    def incoming(self, message: Message, turn: Turn, now: float) -> Awaitable[None] | None:
        """See *message* before it is acted on; ``turn.session`` is None for a handshake.

        It may change the message, raise `Veto` or `Dismiss`, or return an awaitable that does so.
        """
        return None

    def publishing(self, delivery: Delivery, now: float) -> Delivery:
        """Return what receivers of *delivery* get. Called once for all of them, who share its bytes."""
        return delivery

    def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery | None:
        """Return what *session* gets of *delivery*, or None for nothing.

        Only extensions of a session are asked: what each receiver gets differently cannot be shared.
        """
        return delivery

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        """Complete *reply*, the answer to *message*, at the moment at which it leaves.

        That may be long after ``turn.arrived``, if the reply was held.
        """


class Extensions(list[Extension]):
    """Those of a bus, in their order."""

    __slots__ = ("_judged", "_plain")

    def __init__(self) -> None:
        super().__init__()
        self._judged: list[Extension] = []
        self._plain = True

    def of(self, session: Session | None) -> Sequence[Extension]:
        """Return those that see the messages of *session*: the bus's, then its own."""
        if session is None or not session.extensions:
            return self
        return [*self, *session.extensions]

    @property
    def let_plain_connects_pass(self) -> bool:
        """Whether none of them has to see a plain connect (`mirant.bus.plain_poll`)."""
        if self._judged != self:
            self._judged = list(self)
            # What a class says is not inherited: a subclass may do more.
            self._plain = not any(vars(type(each)).get("sees_plain_connects", True) for each in self)
        return self._plain
