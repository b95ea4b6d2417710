"""The meta channels: handshake, connect, subscribe, unsubscribe, disconnect (Bayeux 1.0, section 4).

Each handler fills the reply in place and says whether it is to be sent now. A channel below /meta/ that is
not in `HANDLERS` does not exist.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Mapping
from inspect import isawaitable
from typing import Any, Final

import msgspec

from mirant.bayeux.advice import GO_AWAY, HANDSHAKE_NOW, TRY_LATER, Advice
from mirant.bayeux.channels import (
    CONNECT,
    DISCONNECT,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Channel,
)
from mirant.bayeux.errors import (
    HANDSHAKE_DENIED,
    SERVER_FULL,
    SESSION_UNKNOWN,
)
from mirant.bayeux.messages import Message, Reply
from mirant.bus.carrier import Link, Turn
from mirant.bus.core import Core
from mirant.bus.extension import Veto
from mirant.bus.guard import identify
from mirant.bus.hooks import tell
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.refusal import Refusal
from mirant.bus.session import Ending, Session, State
from mirant.bus.subscribing import Answered, session_of, subscribe, unsubscribe

# The longest pause between connects that a client may ask for, in seconds. It lengthens the life of a
# session that nobody reads from; a client that is away for longer can handshake again.
MAX_CLIENT_INTERVAL: Final = 60.0

_EVENTSOURCE: Final = b'"eventsource"'

log = logging.getLogger("mirant")


def handshake(core: Core, turn: Turn, message: Message, reply: Reply) -> Answered:
    """Open a session (section 4.1).

    The version and the transports that a client offers are not negotiated: there is one version, and the
    client picks from the transports in the reply. Official servers do the same, and clients rely on it.
    """
    _check_capacity(core)
    for extension in core.extensions:
        waiting = extension.incoming(message, turn, core.now)
        if waiting is not None:
            yield waiting
    identity = yield from _authenticate(core, turn, message)
    if core.guard is not None:
        core.guard.enter(core, identity, turn.carrier.request.address)
    _check_capacity(core)  # others may have come while we waited
    if isinstance(turn.carrier, Link) and turn.carrier.session is not None:
        # A new handshake on a connection takes it from the session that it was bound to.
        former = turn.carrier.session
        core.supersede(former)
        if former.state is State.HANDSHAKEN:
            core.end(former, Ending.ABANDONED)  # or one connection could fill the server with sessions
        core.detach(turn.carrier, core.now)
    session = turn.session = turn.carrier.session = core.open()
    identify(core, session, identity)
    session.browser = turn.carrier.browser
    session.address = turn.carrier.request.address
    session.advised = turn.carrier.transport
    turn.with_messages = core.settings.with_handshake
    try:
        yield from tell("on_join", core.hooks.join, session)
    finally:
        core.expect(session)  # from now on: the application may have taken its time
    if session.ended:
        raise Refusal(HANDSHAKE_DENIED, advice=GO_AWAY)
    reply.successful = True
    reply.client_id = session.id
    reply.version = reply.minimum_version = "1.0"
    reply.supported_connection_types = list(core.settings.transports)
    reply.advice = core.advice(session)
    return True


def connect(core: Core, turn: Turn, message: Message, reply: Reply) -> bool | Answered:
    """Answer at once or hold until there is something to say (section 4.2)."""
    identity = session_of(turn).identity
    if core.hooks.renew is not None and (identity is None or identity.valid_for is not None):
        return _renew_and_connect(core, turn, message, reply)
    return _connect(core, turn, message, reply)


def _renew_and_connect(core: Core, turn: Turn, message: Message, reply: Reply) -> Answered:
    """Take the fresh credential that *message* may bring, then go on as ever.

    Whoever it names has to be let in as by a handshake: else a rule for that would hold only for those who
    show their credential there. If not, the session stays what it was.
    """
    session = session_of(turn)
    try:
        renew = core.hooks.renew
        fresh = renew and renew(session, message, turn.carrier.request)
        if isawaitable(fresh):
            fresh = yield fresh
    except CredentialRefused as error:
        _record(core, turn, error)
        raise
    if core.hooks.renew is not renew:  # the files were read again meanwhile
        return (yield from _renew_and_connect(core, turn, message, reply))
    if session.ended:
        raise Refusal(SESSION_UNKNOWN, advice=HANDSHAKE_NOW)
    if isinstance(fresh, Identity):
        if core.guard is not None:
            core.guard.enter(core, fresh, turn.carrier.request.address)
        identify(core, session, fresh)
    return _connect(core, turn, message, reply)


def _connect(core: Core, turn: Turn, message: Message, reply: Reply) -> bool:
    """Do what a connect is for, once it is settled whose it is.

    The first connect of a session is answered at once, even if the client does not ask for it: several wait
    for that answer before they call themselves connected.
    """
    session = session_of(turn)
    core.supersede(session)
    first = session.state is State.HANDSHAKEN
    session.state = State.CONNECTED
    timeout, session.interval = session.timeout, core.settings.interval
    transport = turn.carrier.transport
    if bytes(message.connection_type) == _EVENTSOURCE:
        transport = "eventsource"
        if not session.connect_only:
            # Its deliveries come down a stream; the connect is but a sign of life, once per timeout.
            timeout, session.interval = 0.0, session.timeout
    elif not turn.carrier.is_link:
        core.unlink(session)  # the client polls, so its connection is dead to it, even if not yet to us
    if message.advice is not None:
        # "advice" in a connect overrides ours for this one request; a reloaded page needs ours again.
        timeout = _clamp(message.advice.timeout, timeout, timeout)
        session.interval = _clamp(message.advice.interval, session.interval, MAX_CLIENT_INTERVAL)
    if message.advice is not None or session.advised != transport or core.closing:
        session.advised = transport
        reply.advice = core.advice(session)
    reply.successful = True
    # Over HTTP the other replies of the same body would be held too. On a WebSocket they are sent at once.
    holdable = turn.alone or turn.carrier.is_link
    if holdable and timeout > 0 and not first and not core.closing and _has_room(core, turn, session, reply):
        held = Turn(turn.carrier, session, turn.arrived, alone=True)
        held.answers.append((message, reply))
        core.hold(session, held, timeout)
        return False
    core.expect(session, session.interval)
    return True


def disconnect(core: Core, turn: Turn, message: Message, reply: Reply) -> bool:
    """End the session (section 4.5). The connect that is held is answered, with advice to stay away."""
    core.end(session_of(turn), Ending.DISCONNECTED)
    reply.successful = True
    return True


Handler = Callable[[Core, Turn, Message, Reply], bool | Answered]

#: What is done on which meta channel, for a session that is known. Handshake is apart: it has none yet.
HANDLERS: Final[Mapping[Channel, Handler]] = {
    CONNECT: connect,
    SUBSCRIBE: subscribe,
    UNSUBSCRIBE: unsubscribe,
    DISCONNECT: disconnect,
}


def _has_room(core: Core, turn: Turn, session: Session, reply: Reply) -> bool:
    """Whether the browser has a connection to spare for this poll; if not, the *reply* says so.

    A window that was told so before and has room now is told that first: the reference server leaves it at
    the slow interval for good.
    """
    if turn.carrier.is_link or turn.carrier.request.multiplexed:
        return True
    if core.windows.admits(session):
        relieved, session.crowded = session.crowded, False
        if relieved:
            reply.advice = core.advice(session)
        return not relieved
    session.crowded = True
    session.interval = core.settings.windows_interval
    reply.advice = msgspec.structs.replace(core.advice(session), timeout=None, multiple_clients=True)
    return False


def _check_capacity(core: Core) -> None:
    if len(core.sessions) >= core.settings.max_sessions:
        raise Refusal(SERVER_FULL, advice=TRY_LATER)


def _clamp(asked: float | None, default: float, most: float) -> float:
    """Return what a client *asked* for in milliseconds as seconds, between 0 and *most*."""
    # The bounds come first: an integer of JSON may be too large for a float.
    return default if asked is None else min(max(asked, 0), most * 1000) / 1000


def _authenticate(
    core: Core, turn: Turn, message: Message
) -> Generator[Awaitable[Any], Any, Identity | None]:
    authenticate = core.hooks.authenticate
    if authenticate is None:
        return None
    try:
        identity = authenticate(message, turn.carrier.request)
        if isawaitable(identity):
            identity = yield identity
    except CredentialRefused as error:
        _record(core, turn, error)
        raise _deny(core, turn, str(error), TRY_LATER if error.temporary else GO_AWAY) from None
    except Veto as veto:
        raise _deny(core, turn, str(veto), GO_AWAY) from None
    except Exception:
        log.exception("hook.failed hook=authenticate")
        raise _deny(core, turn, "", GO_AWAY) from None
    if core.hooks.authenticate is not authenticate:  # the files were read again meanwhile
        return (yield from _authenticate(core, turn, message))
    return identity if isinstance(identity, Identity) else None


def _deny(core: Core, turn: Turn, reason: str, advice: Advice) -> Refusal:
    """Record that a handshake is denied, for what its client is told, and return the refusal."""
    address = turn.carrier.request.address
    core.audit.event(core.now, "handshake.denied", address, reason=reason or None)
    return Refusal(HANDSHAKE_DENIED, reason, advice=advice)


def _record(core: Core, turn: Turn, error: CredentialRefused) -> None:
    """Write the event that a credential was refused with, if it is worth one."""
    if error.event is not None:
        core.audit.event(core.now, error.event, turn.carrier.request.address, **error.facts)
