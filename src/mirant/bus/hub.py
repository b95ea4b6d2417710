"""Who subscribes, and the way of a message to them: publish, engine, arrived, deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Final, TypeVar

from mirant.bayeux.channels import Channel, Kind, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.channel_options import NO_OPTIONS, ChannelTable
from mirant.bus.clock import Clock
from mirant.bus.contracts import Engine, Guard, HistoryPage, Position, Published, Result
from mirant.bus.deliveries import Deliveries
from mirant.bus.extension import Extensions
from mirant.bus.observer import Observers
from mirant.bus.record import SessionRecord
from mirant.bus.session import Session
from mirant.bus.subscriptions import Subscriptions

T = TypeVar("T")

_BROADCAST: Final = Kind.BROADCAST  # a member of an enumeration costs 0.1 µs to find


class Hub:
    """Subscriptions of the sessions here, and publishing to them. It is a `Population` and a `Node`."""

    __slots__ = (
        "_append",
        "_clock",
        "_deliveries",
        "_engine",
        "_extensions",
        "_observers",
        "_registry",
        "channels",
        "count",
        "published",
        "subscriptions",
    )

    def __init__(
        self,
        engine: Engine,
        registry: Mapping[str, Session],
        deliveries: Deliveries,
        extensions: Extensions,
        observers: Observers,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._deliveries = deliveries
        self._extensions = extensions
        self._observers = observers
        self._clock = clock
        self.channels = ChannelTable()
        self.subscriptions: Subscriptions[Session] = Subscriptions()
        #: How many subscriptions the sessions have, all in all.
        self.count = 0
        #: How many messages were published.
        self.published = 0
        self._registry = registry
        self._append = engine.append
        engine.join(self)

    # --- Who subscribes ---

    def subscribe(self, session: Session, pattern: Pattern) -> None:
        """Let *session* get what is published to channels that *pattern* matches."""
        if pattern not in session.record.subscriptions:
            self.count += 1
            session.record.subscriptions.add(pattern)
            session.weight += pattern.weight
        self.subscriptions.add(session, pattern)
        at_once(self._engine.keep(session.record_at(self._clock.time())))

    def unsubscribe(self, session: Session, pattern: Pattern) -> None:
        """Undo `subscribe`."""
        if pattern in session.record.subscriptions:
            self.count -= 1
            session.record.subscriptions.discard(pattern)
            session.weight -= pattern.weight
            at_once(self._engine.keep(session.record_at(self._clock.time())))
        self.subscriptions.remove(session, pattern)

    def adopt(self, session: Session) -> None:
        """Take over the subscriptions in the record of *session*, which another process had."""
        for pattern in session.record.subscriptions:
            self.count += 1
            session.weight += pattern.weight
            self.subscriptions.add(session, pattern)

    def forget(self, session: Session) -> None:
        """Take note that *session* ended."""
        for pattern in session.record.subscriptions:
            self.count -= 1
            self.subscriptions.remove(session, pattern)
        at_once(self._engine.drop(session.id))

    def members(self, pattern: Pattern) -> int:
        """Return how many sessions are subscribed to just *pattern*."""
        return at_once(self._engine.members(pattern))

    def local_members(self, pattern: Pattern) -> int:
        """Return how many sessions here are subscribed to just *pattern*."""
        return self.subscriptions.count(pattern)

    def local_record(self, session_id: str) -> SessionRecord | None:
        """Return the record of a session that lives here."""
        session = self._registry.get(session_id)
        return None if session is None else session.record_at(self._clock.time())

    def exists(self, pattern: Pattern) -> bool:
        """Whether somebody is subscribed to *pattern*, or it is a channel that exists without that."""
        return pattern in self.subscriptions or self.channels.exists(pattern)

    # --- What they get ---

    def publish(self, channel: Channel, delivery: Delivery, sender: Session | None = None) -> Result[int]:
        """Accept *delivery* for all subscribers of *channel*, a broadcast channel; return how many are here.

        *sender* is the session that published it: whether it gets its own message is an option.
        """
        assert channel.kind is _BROADCAST, f"{channel} is never distributed"
        options = self.channels.of(channel) if self.channels.some else NO_OPTIONS
        without = None
        if sender is not None and not (sender.record.echo if options.echo is None else options.echo):
            without = sender.record.id
        if options is not NO_OPTIONS or delivery.lazy is not None:
            delivery.lazy = (options.lazy if delivery.lazy is None else delivery.lazy) or None
            delivery.latest = delivery.latest or bool(options.latest)
            delivery.overflow = options.overflow
        if self._extensions.publishing:
            delivery = self._extensions.publish(delivery, self._clock.time())
        return self._append(Published(channel, delivery, options.history or 0, without))

    def arrived(self, position: Position, item: Published) -> int:
        """Take *item*, which was published here or elsewhere; return how many sessions here get it."""
        subscribers = self.subscriptions.match(item.channel)
        if item.without is not None:
            subscribers = tuple(each for each in subscribers if each.record.id != item.without)
        if subscribers:
            self._deliveries.publish(subscribers, item.delivery)
        self.published += 1
        receivers = len(subscribers)
        for tell in self._observers.published:
            tell(item.channel, len(item.delivery.payload), receivers)
        return receivers

    def deliver(self, session: Session, delivery: Delivery) -> None:
        """Accept *delivery* for *session* alone, whatever it subscribed to."""
        if self._extensions.publishing:
            delivery = self._extensions.publish(delivery, self._clock.time())
        self._deliveries.publish((session,), delivery)

    # --- The past ---

    def history(self, channel: Channel, *, last: int, since: Position | None = None) -> HistoryPage:
        """Return what is kept of *channel*: its *last* messages, of those after *since*."""
        return at_once(self._engine.history(channel, since=since, last=last))

    def recall(self, session: Session, delivery: Delivery) -> None:
        """Accept for *session* what was published before; extensions have seen it then."""
        self._deliveries.publish((session,), delivery)

    def follow(self, former: Guard | None, guard: Guard | None) -> None:
        """Go by the options that *guard* sets for channels, and keep of the past what it still allows.

        What is kept went through the filters of the *former* guard. Where the new one has other filters, the
        past of a channel is forgotten.
        """
        self.channels.follow(None if guard is None else guard.options)

        def keeps(channel: Channel) -> int:
            before = None if former is None else former.chain(channel)
            after = None if guard is None else guard.chain(channel)
            return (self.channels.of(channel).history or 0) if before == after else 0

        at_once(self._engine.forget(keeps))


def at_once(result: Result[T]) -> T:
    """Return *result*, of an engine that never waits."""
    if isinstance(result, Awaitable):
        raise TypeError("this engine has to be awaited, which is not possible here")
    return result
