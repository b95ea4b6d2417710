"""Messages to service channels, which are for the application alone (Bayeux 1.0, section 2.2.2)."""

from __future__ import annotations

from mirant.bayeux.channels import Channel
from mirant.bayeux.errors import CALL_LIMIT
from mirant.bayeux.messages import Message
from mirant.bus.clock import Clock
from mirant.bus.contracts import Host
from mirant.bus.hooks import Hooks, Pipeline, ServiceHook
from mirant.bus.in_force import InForce
from mirant.bus.refusal import Refusal
from mirant.bus.session import Session


class Calls:
    """Hands messages to the application's services, and counts what is being worked on."""

    __slots__ = ("_clock", "_hooks", "_host", "_in_force")

    def __init__(self, host: Host, in_force: InForce, hooks: Hooks, clock: Clock) -> None:
        self._host = host
        self._in_force = in_force
        self._hooks = hooks
        self._clock = clock

    def call(self, session: Session, channel: Channel, message: Message) -> None:
        """Hand *message* to the application's service; without one it is accepted and goes nowhere."""
        if self._in_force.guard is not None:
            self._in_force.guard.call(session, channel, message, self._clock.time())
        found = self._hooks.services.find(channel)
        if not found:
            return
        if session.calls >= self._in_force.settings.max_calls:
            raise Refusal(CALL_LIMIT)

        def spelt_out(route: tuple[ServiceHook, dict[str, str]]) -> int:
            _, parameters = route
            return len(parameters)

        # One service answers: of "/city/paris" and "/city/{name}" the one that is spelt out.
        hook, parameters = min(found, key=spelt_out)
        self._host.background(_counted(session, hook(session, channel, message, parameters)))


def _counted(session: Session, work: Pipeline) -> Pipeline:
    session.calls += 1
    try:
        yield from work
    finally:
        session.calls -= 1
