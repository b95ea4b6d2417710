"""Publishing to a broadcast channel (Bayeux 1.0, section 5.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any

from mirant.bayeux.channels import Channel, Kind
from mirant.bayeux.errors import CHANNEL_CREATE_DENIED, DATA_MISSING, DENIED_BY_POLICY, SESSION_UNKNOWN
from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.clock import Clock
from mirant.bus.contracts import Result
from mirant.bus.handling import Steps, session_of
from mirant.bus.hooks import Hooks, Parameters, PublishHook
from mirant.bus.hub import Hub
from mirant.bus.in_force import InForce
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session
from mirant.bus.turn import Turn


class Publishing:
    """Handles messages to broadcast channels."""

    __slots__ = ("_clock", "_hooks", "_hub", "_in_force")

    def __init__(self, hub: Hub, in_force: InForce, hooks: Hooks, clock: Clock) -> None:
        self._hub = hub
        self._in_force = in_force
        self._hooks = hooks
        self._clock = clock

    def publish(
        self, turn: Turn, session: Session, channel: Channel, message: Message, reply: Reply
    ) -> bool | Steps:
        """Publish *message*, if the rules and the application allow it."""
        if not message.data:
            raise Refusal(DATA_MISSING)
        if self._in_force.guard is not None:
            self._in_force.guard.publish(session, channel, message, self._clock.time())
        if self._hooks.publish.some and (hooks := self._hooks.publish.find(channel)):
            return self._publish_after(hooks, channel, turn, message, reply)
        if self._hooks.conceal is not None and message.ext is not None:
            self._hooks.conceal(message)
        self._hub.publish(channel, Delivery.forward(channel, message), session)
        reply.successful = True
        return True

    def publish_as(
        self, party: Party, channel: Channel, message: Message
    ) -> Generator[Awaitable[Any], Any, Result[int]]:
        """Publish *message* of *party*, which has no session; return to how many sessions here it goes.

        It has to pass the same rules and functions of the application as a session's. It yields what these
        have to wait for. Cancelled while it waits, it publishes nothing.

        Raises:
            Refusal: *channel* is none that messages are distributed on, there is no data, or a rule refuses.
            Veto: the application refuses. What else its functions raise is raised here too.
        """
        if channel.kind is not Kind.BROADCAST:
            raise Refusal(CHANNEL_CREATE_DENIED, DENIED_BY_POLICY)
        if not message.data:
            raise Refusal(DATA_MISSING)
        if self._in_force.guard is not None:
            self._in_force.guard.publish(party, channel, message, self._clock.time())
        if self._hooks.publish.some and (hooks := self._hooks.publish.find(channel)):
            yield from self._show(hooks, party, channel, message)
        if self._hooks.conceal is not None and message.ext is not None:
            self._hooks.conceal(message)
        return self._hub.publish(channel, Delivery.forward(channel, message))

    def _publish_after(
        self,
        hooks: list[tuple[PublishHook, Parameters]],
        channel: Channel,
        turn: Turn,
        message: Message,
        reply: Reply,
    ) -> Steps:
        """Publish *message* when the application has seen it, if it may still be published then."""
        session = session_of(turn)
        yield from self._show(hooks, session, channel, message)
        if self._hooks.conceal is not None and message.ext is not None:
            self._hooks.conceal(message)
        self._hub.publish(channel, Delivery.forward(channel, message), session)
        reply.successful = True
        return True

    def _show(
        self,
        hooks: list[tuple[PublishHook, Parameters]],
        party: Party,
        channel: Channel,
        message: Message,
    ) -> Generator[Awaitable[Any], Any, None]:
        """Let *hooks* see *message*. Raise if it may not be published any more when they have."""
        guard, data = self._in_force.guard, message.data
        waited = False
        for hook, parameters in hooks:
            waiting = hook(party, channel, message, parameters)
            if waiting is not None:
                waited = True
                yield waiting
        if waited and isinstance(party, Session) and party.ended:
            raise Refusal(SESSION_UNKNOWN)
        current = self._in_force.guard
        if current is not None and (waited or message.data is not data):
            filtered = current is guard and message.data is data
            current.confirm(party, channel, message, self._clock.time(), filtered=filtered)
