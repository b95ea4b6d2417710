"""activity: ends the sessions of clients that only keep themselves alive.

A page that is left open connects for ever. This extension ends its session when nothing but /meta/connect
came for too long; given to a session (`Session.extensions`), it counts what the session is sent as well. The
client is told by a /meta/disconnect, and stays away.
"""

from __future__ import annotations

from mirant.bayeux.channels import CONNECT
from mirant.bayeux.messages import Delivery, Message
from mirant.bus.extension import Extension
from mirant.bus.session import Session
from mirant.bus.turn import Turn
from mirant.bus.veto import Dismiss


class Activity(Extension):
    """Ends a session that was idle, when it connects the next time."""

    def __init__(self, max_idle: float) -> None:
        """*max_idle* is how many seconds a client may do nothing but connect."""
        self._max_idle = max_idle
        self._key = f"mirant.activity.{id(self):x}"  # a session may have one of its own beside the bus's

    def incoming(self, message: Message, turn: Turn, now: float) -> None:
        """Note that the client is active, or how long it has not been."""
        session = turn.session
        if session is None:
            return
        if message.target != CONNECT:
            session.attributes[self._key] = now
        elif now - session.attributes.setdefault(self._key, now) > self._max_idle:
            raise Dismiss

    def delivering(self, delivery: Delivery, session: Session, now: float) -> Delivery:
        """Note that the session has something to listen to."""
        session.attributes[self._key] = now
        return delivery
