"""Extensions: what looks at every message of a bus, and may complete, change or refuse it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, cast

import msgspec

from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.hooks import failure_of
from mirant.bus.observer import Observers
from mirant.bus.session import OwnExtension, Session
from mirant.bus.turn import Turn
from mirant.bus.veto import Dismiss, Veto

__all__ = ["Dismiss", "Extension", "Extensions", "Veto"]


class Extension(OwnExtension):
    """The base of extensions: does nothing. They run in the order in which they were added.

    An extension is the bus's (it sees everything) or one session's (`Session.extensions`). A message of a
    session that the bus does not know never gets here.

    What an extension remembers of a session belongs into the session's record: `Session.negotiate` puts a
    value there under the extension's `key`, and `Session.negotiated` finds it again, in another process too.
    """

    #: The name under which it keeps something in a session's record, and the type of that; None: it does not.
    key: ClassVar[str | None] = None
    state: ClassVar[type[msgspec.Struct] | None] = None

    #: Whether it has to see a /meta/connect that says nothing of its own (no `ext`, no `advice`), and the
    #: answer to it. If no extension of a bus has to, the bus answers those in a shorter way. Not inherited: a
    #: subclass may do more.
    sees_plain_connects: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a class whose `publishing`, `delivering` or `outgoing` is a coroutine function.

        Raises:
            TypeError: it is. Nobody waits for those.
        """
        super().__init_subclass__(**options)
        for name in ("publishing", "delivering", "outgoing"):
            if inspect.iscoroutinefunction(getattr(cls, name)):
                raise TypeError(f"{cls.__name__}.{name} is not awaited: only `incoming` may be async")

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


IncomingHook = Callable[[Message, Turn, float], Awaitable[None] | None]
PublishingHook = Callable[[Delivery, float], Delivery]
OutgoingHook = Callable[[Reply, Message, Turn, float], None]


class Extensions:
    """The extensions of a bus, in their order, and for each occasion those that do something on it."""

    __slots__ = ("_all", "_changed", "incoming", "outgoing", "publishing", "see_plain_connects")

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        """Begin with none; *changed* is called when `see_plain_connects` may have changed."""
        self._all: tuple[Extension, ...] = ()
        self._changed = changed
        self.incoming: tuple[IncomingHook, ...] = ()
        self.publishing: tuple[PublishingHook, ...] = ()
        self.outgoing: tuple[OutgoingHook, ...] = ()
        #: Whether one of them has to see a connect that says nothing of its own.
        self.see_plain_connects = False

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._all)

    def add(self, *extensions: Extension) -> None:
        """Let *extensions* run after those there are."""
        self.set([*self._all, *extensions])

    def set(self, extensions: Iterable[Extension]) -> None:
        """Let *extensions* run, in this order, and no others."""
        self._all = tuple(extensions)
        self.incoming = tuple(each.incoming for each in self._all if _has(each, "incoming"))
        self.publishing = tuple(each.publishing for each in self._all if _has(each, "publishing"))
        self.outgoing = tuple(each.outgoing for each in self._all if _has(each, "outgoing"))
        self.see_plain_connects = any(vars(type(each)).get("sees_plain_connects", True) for each in self._all)
        self._changed()

    def incoming_of(self, session: Session) -> Sequence[IncomingHook]:
        """Return what sees messages of *session*: the bus's extensions, then its own."""
        own = own_extensions(session)
        return [*self.incoming, *(each.incoming for each in own)] if own else self.incoming

    def outgoing_of(self, session: Session | None) -> Sequence[OutgoingHook]:
        """Return what completes replies to *session*: the bus's extensions, then its own."""
        own = () if session is None else own_extensions(session)
        return [*self.outgoing, *(each.outgoing for each in own)] if own else self.outgoing

    def publish(self, delivery: Delivery, now: float) -> Delivery:
        """Return what receivers of *delivery* get."""
        for publishing in self.publishing:
            delivery = publishing(delivery, now)
            if not isinstance(delivery, Delivery):
                raise TypeError(f"{publishing!r} should return a Delivery, not {delivery!r}")
        return delivery

    def restore(self, session: Session) -> None:
        """Make values of the extensions' types of what was read with the record of *session*."""
        for each in self._all:
            if each.key is not None and each.state is not None:
                saved: Any = session.negotiated(each.key)
                if saved is not None:
                    session.negotiate(each.key, msgspec.convert(saved, each.state))


def own_extensions(session: Session) -> tuple[Extension, ...]:
    """Return the extensions of *session* alone."""
    return cast("tuple[Extension, ...]", session.extensions)


def change_for(
    session: Session, deliveries: Sequence[Delivery], now: float, observers: Observers
) -> list[Delivery]:
    """Return what *session* gets of *deliveries*, according to its own extensions."""
    changed: list[Delivery] = []
    for delivery in deliveries:
        own: Delivery | None = delivery
        try:
            for extension in own_extensions(session):
                if own is not None:
                    own = extension.delivering(own, session, now)
                    if not isinstance(own, Delivery | None):
                        raise TypeError(f"{extension!r} should return a Delivery or None, not {own!r}")
        except BaseException as error:  # an extension's fault is its own session's, and no other's
            failed = failure_of(error)
            observers.fail("extension.failed", failed, session=session.label, channel=delivery.channel)
            own = None
        if own is not None:
            changed.append(own)
    return changed


def _has(extension: Extension, hook: str) -> bool:
    """Whether *extension* does something of its own in *hook*."""
    return hook in vars(extension) or getattr(type(extension), hook) is not getattr(Extension, hook)
