"""/meta/disconnect: the client says goodbye (Bayeux 1.0, section 4.5)."""

from __future__ import annotations

from mirant.bayeux.messages import Message, Reply
from mirant.bus.handling import session_of
from mirant.bus.session import Ending
from mirant.bus.sessions import Sessions
from mirant.bus.turn import Turn


class Disconnecting:
    """Handles messages to /meta/disconnect."""

    __slots__ = ("_sessions",)

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def disconnect(self, turn: Turn, message: Message, reply: Reply) -> bool:
        """End the session. The connect that is held is answered, with advice to stay away."""
        self._sessions.end(session_of(turn), Ending.DISCONNECTED)
        reply.successful = True
        return True
