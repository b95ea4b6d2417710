"""A core without a network: its host counts, and its connections throw away what they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mirant.bayeux.channels import Pattern
from mirant.bus.batch import Batch
from mirant.bus.carrier import Outgoing
from mirant.bus.clock import Clock
from mirant.bus.core import Core
from mirant.bus.hooks import Pipeline
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.engines.memory import MemoryEngine
from mirant.options.settings import Settings
from mirant.transports.websocket import Connection

NOW: Final = 1_000.0

_REQUEST: Final = Request()


class Sink(Connection):
    """A WebSocket that is always writable, and goes nowhere."""

    __slots__ = ("frames", "writable")

    # As the native host does: a plain attribute.
    writable: bool

    def __init__(self, core: Core) -> None:
        super().__init__(core, _REQUEST)
        self.writable = True
        self.frames = 0

    def send(self, out: Outgoing) -> bool:
        batch = out.alone  # as the native host does: no call for what is sent most
        if batch is not None:
            if batch.wire is None:
                batch.wire = batch.payload
            self.frames += 1
            return True
        if len(out.replies) == 1 and not (out.before or out.after):
            self.frames += 1
            return True
        return super().send(out)

    def push(self, batches: Sequence[Batch]) -> bool:
        for batch in batches:
            if batch.wire is None:
                batch.wire = batch.payload
            self.frames += 1
        return True

    def say(self, text: bytes) -> None:
        self.frames += 1

    def take_back(self) -> list[Batch]:
        return []

    def close(self, code: int, reason: str) -> None:
        raise AssertionError(f"nothing should end here: {code} {reason}")


class Stage:
    """A core and the `Host` that it runs on. The time stands still."""

    def __init__(self) -> None:
        settings = Settings(max_sessions=10_000_000)
        self.core = Core(
            settings, self, MemoryEngine(settings), Clock(lambda: NOW), secret=b"not one", chance=lambda: 0.5
        )
        self._wanted = False

    def check(self) -> None:
        """Nothing to do: there is one thread."""

    def flush_soon(self) -> None:
        self._wanted = True

    def wake_at(self, when: float) -> None:
        """Nothing to do: time does not pass."""

    def background(self, pipeline: Pipeline) -> None:
        for _ in pipeline:
            raise AssertionError("nothing here has to wait")

    def flush(self) -> None:
        """End the turn of the event loop."""
        while self._wanted:
            self._wanted = False
            self.core.flush(NOW)

    def say(self, sink: Sink, text: bytes) -> None:
        """Let the peer of *sink* send *text*; it is processed but for the flush."""
        messages = sink.read(text)
        assert messages is not None
        for _ in self.core.receive(messages, sink, NOW):
            raise AssertionError("nothing here has to wait")

    def enter(self, *patterns: str) -> Session:
        """Return a new session with a connection, its first connect answered and subscribed to *patterns*."""
        sink = Sink(self.core)
        self.say(sink, b'[{"channel":"/meta/handshake","id":"1","version":"1.0"}]')
        session = sink.session
        assert session is not None
        connect = b'[{"channel":"/meta/connect","id":"2","connectionType":"websocket","clientId":"%b"}]'
        self.say(sink, connect % session.id.encode())
        for name in patterns:
            self.core.hub.subscribe(session, Pattern.parse(name))
        self.flush()
        return session

    def hold(self, session: Session) -> None:
        """Let *session* connect once more, which is held."""
        connect = b'[{"channel":"/meta/connect","id":"3","connectionType":"websocket","clientId":"%b"}]'
        self.say(sink_of(session), connect % session.id.encode())
        self.flush()


def sink_of(session: Session) -> Sink:
    """Return the connection of *session*."""
    assert isinstance(session.link, Sink)
    return session.link


def message(channel: str, client_id: str, number: int = 1) -> bytes:
    """Return a publish, as long as a line of a chat: 160 bytes."""
    data = b'{"user":"alice","text":"The train to Paris leaves at 10:42.","seq":%d}' % number
    return b'{"channel":"%b","data":%b,"clientId":"%b","id":"%d"}' % (
        channel.encode(),
        data,
        client_id.encode(),
        number,
    )
