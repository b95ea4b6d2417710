"""The states of a client, and the table that says which cause leads from one to the next.

::

    UNCONNECTED ─ handshake() ─► HANDSHAKING ─ accepted ─► CONNECTING ─ connect answered ─► CONNECTED
                                      ▲                     │      ▲                            │
                                      └── session unknown ──┘      └── connection broken ───────┘

From each of them `disconnect()` leads over DISCONNECTING, and the server's word at once, to DISCONNECTED.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class ClientState(Enum):
    """How far a client has come."""

    #: It has done nothing yet.
    UNCONNECTED = "unconnected"
    #: It has no session. A handshake is under way, or waits for the transport or for its time.
    HANDSHAKING = "handshaking"
    #: It has a session. No connect was answered since the handshake, or since the connection broke.
    CONNECTING = "connecting"
    #: It has a session, and the last connect was answered.
    CONNECTED = "connected"
    #: It has said goodbye and waits for the reply.
    DISCONNECTING = "disconnecting"
    #: The session is over, and the client does not come back by itself.
    DISCONNECTED = "disconnected"


class Cause(Enum):
    """What changes the state of a client."""

    BEGUN = "the application asked for a session"
    ACCEPTED = "the server accepted the handshake"
    ANSWERED = "the server answered a connect"
    BROKEN = "the connection or a connect failed"
    SESSION_LOST = "the server does not know the session any more"
    SENT_AWAY = "the server said not to come back, or ended the session"
    LEAVING = "the application said goodbye; the server is being told"
    LEFT = "nothing is left to wait for"


_S = ClientState

#: state → cause → the next state. A cause that is missing cannot happen in that state.
TRANSITIONS: Final[Mapping[ClientState, Mapping[Cause, ClientState]]] = MappingProxyType(
    {
        _S.UNCONNECTED: {Cause.BEGUN: _S.HANDSHAKING, Cause.LEFT: _S.DISCONNECTED},
        _S.HANDSHAKING: {
            Cause.ACCEPTED: _S.CONNECTING,
            Cause.BROKEN: _S.HANDSHAKING,
            Cause.SENT_AWAY: _S.DISCONNECTED,
            Cause.LEFT: _S.DISCONNECTED,
        },
        _S.CONNECTING: {
            Cause.ANSWERED: _S.CONNECTED,
            Cause.BROKEN: _S.CONNECTING,
            Cause.SESSION_LOST: _S.HANDSHAKING,
            Cause.SENT_AWAY: _S.DISCONNECTED,
            Cause.LEAVING: _S.DISCONNECTING,
            Cause.LEFT: _S.DISCONNECTED,
        },
        _S.CONNECTED: {
            Cause.ANSWERED: _S.CONNECTED,
            Cause.BROKEN: _S.CONNECTING,
            Cause.SESSION_LOST: _S.HANDSHAKING,
            Cause.SENT_AWAY: _S.DISCONNECTED,
            Cause.LEAVING: _S.DISCONNECTING,
        },
        _S.DISCONNECTING: {
            Cause.BROKEN: _S.DISCONNECTED,
            Cause.SENT_AWAY: _S.DISCONNECTED,
            Cause.LEFT: _S.DISCONNECTED,
        },
        _S.DISCONNECTED: {Cause.BEGUN: _S.HANDSHAKING, Cause.LEFT: _S.DISCONNECTED},
    }
)

#: The states in which a client comes back by itself when its connection breaks.
ACTIVE: Final = frozenset({_S.HANDSHAKING, _S.CONNECTING, _S.CONNECTED})
