"""The end of a turn of the event loop: what was published leaves, then the answers, then what waits."""

from __future__ import annotations

from mirant.bus.deliveries import Deliveries
from mirant.bus.hooks import Hooks
from mirant.bus.leaving import Leaving
from mirant.bus.observer import Observers
from mirant.bus.polls import Polls


class Flushing:
    """Lets the door and the polls take turns: connections first, then polls, then what waited before."""

    __slots__ = ("_deliveries", "_hooks", "_leaving", "_observers", "_polls")

    def __init__(
        self, deliveries: Deliveries, polls: Polls, leaving: Leaving, hooks: Hooks, observers: Observers
    ) -> None:
        self._leaving = leaving
        self._hooks = hooks
        self._observers = observers
        self._deliveries = deliveries
        self._polls = polls

    def flush(self, now: float) -> None:
        """Send what is to be sent: what was published, then the answers, then what waits."""
        deliveries = self._deliveries
        holds = self._hooks.leave
        if holds:
            self._leaving.hold()
        try:
            rest = self._polls.rest(now)
            remainders = deliveries.begin_flush(now, rests=rest is not None)
            if remainders:
                self._polls.offer(remainders, deliveries.answered(), now)
            if deliveries.finish(now):
                self._send_what_waits(now, rest)
            elif remainders:
                self._polls.end_burst()
        finally:
            deliveries.end_flush()
            if holds:
                self._leaving.release()

    def hand_out(self, now: float) -> None:
        """Give what was published to the sessions: into their connections, or into their outboxes."""
        for remainder in self._deliveries.tick.hand_out():
            for session in remainder.sessions:
                self._deliveries.queue(session, remainder.deliveries, now)

    def _send_what_waits(self, now: float, rest: float | None) -> None:
        """Send what waits for marked sessions: into their links, or as answers to their polls."""
        for session in self._deliveries.take_marked(rest):
            try:
                if session.link is not None and not session.record.connect_only:
                    self._deliveries.push(session)
                elif session.outbox.urgent:
                    self._polls.answer(session, now)
            except Exception as error:  # one session's failure must not keep the others from their messages
                self._observers.fail("session.failed", error, session=session.label)
        self._deliveries.finish(now)
        self._polls.end_burst()
