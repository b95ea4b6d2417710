"""A bus in a world of its own: the clock is a number, the network is a list, and nothing sleeps.

A `World` runs a core as a host does. Its clients do what they do on the wire: JSON goes through the real
transports, and a test reads as a dialogue::

    world = World()
    alice = world.polling().enter()
    alice.subscribe("/news")
    poll = alice.connect()
    world.publish("/news", "rain")
    assert poll.messages == [{"channel": "/news", "data": "rain"}, {..., "successful": True}]
"""

from __future__ import annotations

from typing import Any, Self

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.extension import Extension
from mirant.bus.hub import at_once
from mirant.bus.session import Session
from mirant.options.settings import Settings
from mirant.policy.rule_guard import RuleGuard
from mirant.policy.rulebook import Rulebook
from mirant.services import Services
from mirant.services.face import SessionFace, behind
from mirant.services.outgoing import delivery_of, filtered
from mirant.testing.clients import Client
from mirant.testing.frozen_host import FrozenHost
from mirant.testing.polling import PollingClient
from mirant.testing.sockets import SocketClient


class World(FrozenHost):
    """A bus, its clock and its clients."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        """Make a bus with *settings*, or with the *options* of `Settings` that are given.

        It has no rules and no extensions: see `enforce` and `use`.
        """
        super().__init__(settings, **options)
        #: Where the functions of an application are registered, as on a `mirant.Bus`.
        self.services = Services(self.core)

    # --- What the application does ---

    def publish(self, channel: str, data: object) -> int:
        """Publish as the application does; return how many sessions get it."""
        name = Channel.parse(channel)
        if self.core.guard is not None:
            data = filtered(self.core.guard, name, data)
        count = at_once(self.core.publish(name, delivery_of(name, data)))
        self.settle()
        return count

    def deliver(self, session: Session | SessionFace, channel: str, data: object) -> None:
        """Send to one session as the application does."""
        self.core.deliver(_behind(session), Delivery.of(Channel.parse(channel), data))
        self.settle()

    def dismiss(self, session: Session | SessionFace) -> None:
        """End a session as the application does."""
        self.core.dismiss(_behind(session))
        self.settle()

    def use(self, *extensions: Extension) -> Self:
        """Let the bus have *extensions*, after those it has."""
        self.core.extensions.add(*extensions)
        return self

    def channel(self, pattern: str, **options: Any) -> Self:
        """Set the *options* of the channels that *pattern* matches: those of `ChannelOptions`."""
        self.core.hub.channels.set(Pattern.parse(pattern), ChannelOptions(**options))
        return self

    def enforce(self, book: Rulebook) -> RuleGuard:
        """Put the rules of *book* in force; return the guard that judges by them."""
        guard = RuleGuard(book, self.core.hub)
        self.core.enforce(guard)
        self.settle()
        return guard

    # --- Clients ---

    def polling(self, *, cookies: bool = True, multiplexed: bool = False) -> PollingClient:
        """Return a new client on long-polling. It keeps cookies, as browsers do, unless told not to.

        One that is *multiplexed* speaks HTTP/2.
        """
        return PollingClient(self, cookies=cookies, multiplexed=multiplexed)

    def socket(self, client: Client | None = None, *, cookie: str | None = None) -> SocketClient:
        """Return a new client on a WebSocket; it goes on with the session of *client* if one is given.

        It presents *cookie*, by default that of *client*; an empty one is none.
        """
        return SocketClient(self, client, cookie=cookie)

    # --- What is left ---

    def is_empty(self) -> bool:
        """Whether nothing is left of any session: in tables, timers and queues."""
        self.publish("/is/anybody/left", None)
        core = self.core
        # No application needs these two tables, so the core does not show them.
        inner = (core._windows._polling, core._deliveries)  # noqa: SLF001
        tables = (core.sessions, core.hub.subscriptions, *inner)
        numbers = core.statistics()
        held = (numbers.sessions, numbers.subscriptions, numbers.waiting)
        return not any(len(table) for table in tables) and not any(held) and core.next_deadline() is None


def _behind(session: Session | SessionFace) -> Session:
    return behind(session) if isinstance(session, SessionFace) else session
