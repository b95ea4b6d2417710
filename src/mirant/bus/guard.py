"""What the bus asks before it lets a session do something. `mirant.policy` answers from rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.identity import Identity

if TYPE_CHECKING:
    from mirant.bus.core import Core
    from mirant.bus.session import Session


class Guard(Protocol):
    """Judges what sessions want to do. The checks raise `Refusal`, or return and so allow it.

    They are pure functions of the rules, but for `publish` and `call`, which count towards limits of rate
    and may replace the message's data by what filters leave of it.
    """

    def enter(self, core: Core, identity: Identity | None, address: str | None) -> None:
        """Check a handshake, or a connect that signs in, which came from *address*."""

    def subscribe(self, core: Core, session: Session, pattern: Pattern) -> None:
        """Check a subscription to *pattern*, and with it to every channel that it matches."""

    def publish(self, core: Core, session: Session, channel: Channel, message: Message) -> None:
        """Check and filter a publish."""

    def confirm(
        self, core: Core, session: Session, channel: Channel, message: Message, *, filtered: bool
    ) -> None:
        """Check again a publish that the application had to see first, and may have changed.

        Unless it is *filtered*, what is now its data has not been through the filters that are in force now.
        It counts towards no limit a second time.
        """

    def call(self, core: Core, session: Session, channel: Channel, message: Message) -> None:
        """Check and filter a message to a service channel."""

    def chain(self, channel: Channel) -> Callable[[bytes], bytes] | None:
        """Return what all data on *channel* has to go through, the application's too; None for nothing.

        It returns what is left of some JSON, and raises `Veto` if that is nothing.
        """

    def options(self, channel: Channel) -> ChannelOptions:
        """Return the options that the rules set for *channel*."""

    def revoked(self, session: Session) -> Iterable[Pattern]:
        """Return the subscriptions that *session* has and would not be granted any more."""


#: Where a client is told that it lost subscriptions: ``{"subscriptions": ["/a", …]}``.
REVOKED: Final = "/service/mirant/revoked"


def install(core: Core, guard: Guard | None) -> None:
    """Let *guard* judge from now on, all at once; subscriptions that it would not grant are revoked."""
    core.guard = guard
    core.channels.follow(None if guard is None else guard.options)
    # What was kept went through the filters of then, on channels that may not keep anything now.
    core.history.clear()
    for session in list(core.sessions.values()):
        review(core, session)


def identify(core: Core, session: Session, identity: Identity | None) -> None:
    """Let *session* be that of *identity* until it runs out."""
    changed = identity != session.identity
    session.identity = identity
    lasts = None if identity is None else identity.valid_for
    session.identity_until = inf if lasts is None else core.now + lasts
    if changed:
        review(core, session)


def review(core: Core, session: Session) -> None:
    """Revoke what *session* subscribed to and may not any more, and tell its client."""
    if core.guard is None:
        return
    revoked = list(core.guard.revoked(session))
    for pattern in revoked:
        core.unsubscribe(session, pattern)
    if revoked:
        names = sorted(pattern.name for pattern in revoked)
        address = None  # it is not the client that caused this
        core.audit.event(core.now, "subscriptions.revoked", address, session=session.id[:8], count=len(names))
        core.deliver(session, Delivery.of_raw(REVOKED, msgspec.json.encode({"subscriptions": names})))
