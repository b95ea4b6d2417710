"""What is fuzzed: one function per way in. Each takes bytes and raises only if a rule is broken.

The rule is the same everywhere: what comes in is accepted, or refused with an error that is documented. No
other exception leaves, none is logged, every reply is JSON with an error of the table, and the next client is
served as ever.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from mirant.bayeux.channels import Channel, ChannelInvalid, Pattern, Template
from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.bayeux.errors import APPLICATION_FAILED, TABLE
from mirant.bus.browsers import Browsers
from mirant.bus.request import Request
from mirant.client.options import ClientOptions
from mirant.client.protocol import ClientProtocol
from mirant.client.states import ClientState
from mirant.extensions.ack import Ack
from mirant.extensions.activity import Activity
from mirant.extensions.binary import BinaryData
from mirant.extensions.timestamp import TimeStamp
from mirant.extensions.timesync import TimeSync
from mirant.hosts.native.requests import RequestInvalid, RequestReader
from mirant.hosts.rfc6455.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameInvalid, FrameReader
from mirant.identity.token_invalid import TokenInvalid
from mirant.options.cookies import COOKIE
from mirant.testing import World
from mirant.transports.callback_polling import ScriptExchange, callback_of
from mirant.transports.response import Response
from tests.identity.signing import NOW, tokens, with_secret

_STATUSES: Final = {200, 400, 413, 415}
_CLOSES: Final = {1007, 1009}
_ERRORS: Final = {error.text for error in TABLE} - {APPLICATION_FAILED.text}


def body(data: bytes) -> None:
    """The bytes of a body or a frame, as such."""
    try:
        messages = decode(data, max_size=2_000_000, max_batch=1_000)
    except (BodyInvalid, BodyTooLarge):
        return
    assert len(messages) <= 1_000
    assert messages or json.loads(data) == []  # a sign of life


def frame(data: bytes) -> None:
    """A text frame on a WebSocket that has a session, and one that has none."""
    with _world() as world:
        for client in (world.socket().enter(), world.socket()):
            before = len(client.messages)
            client.send_text(data)
            assert client.closed is None or client.closed[0] in _CLOSES
            _check(client.messages[before:])


def post(data: bytes) -> None:
    """The body of a POST; the first byte chooses the content type."""
    kinds = ("application/json", "text/plain;charset=utf-16", "x;charset=iso-8859-1", "x;charset=nonsense")
    with _world() as world:
        poll = world.polling().enter().post(data[1:], content_type=kinds[sum(data[:1]) % len(kinds)])
        if not poll.held:
            assert poll.status in _STATUSES
            if poll.status == 200:
                _check(poll.messages)


def name(data: bytes) -> None:
    """A channel, a pattern, a template."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    for parse in (Channel.parse, Pattern.parse, Template):
        try:
            parsed = parse(text)
        except ChannelInvalid:
            continue
        assert parse(parsed.name).name == parsed.name


def ext(data: bytes) -> None:
    """An ``ext`` with the keys of each extension, on each meta message and a publish."""
    value = data.decode("utf-8", "replace")
    keys = ",".join(f'"{key}":{value}' for key in ("ack", "timesync", "binary", "other"))
    with _world() as world:
        client = world.polling()
        for channel in ("/meta/handshake", "/meta/connect", "/meta/subscribe", "/a", "/meta/disconnect"):
            identity = f'"clientId":"{client.client_id}",'
            fields = f'"channel":"{channel}",{identity}"subscription":"/a","data":{value},"ext":{{{keys}}}'
            poll = client.post(f"[{{{fields}}}]".encode())
            if poll.held or poll.status != 200:
                continue
            _check(poll.messages)
            client.client_id = poll.messages[0].get("clientId", client.client_id)


def query(data: bytes) -> None:
    """The query of a GET that may be callback-polling."""
    text = data.decode("latin-1")
    if callback_of(data) is None:
        return
    responses: list[Response] = []
    with _world() as world:

        def answer(response: Response) -> bool:
            responses.append(response)
            return True

        exchange = ScriptExchange(world.core, Request(query=text), answer)
        messages = exchange.read(b"")
        if messages is not None:
            world.run(world.core.receive(messages, exchange, world.now))
    assert [response.status for response in responses] in ([200], [400], [413])


def cookie(data: bytes) -> None:
    """The ``Cookie`` header, alone and around a cookie of ours."""
    browsers = Browsers(b"a secret of these tests")
    header = data.decode("latin-1")
    assert browsers.of(Request({"cookie": header})) is None
    ours = browsers.issue()
    found = browsers.of(Request({"cookie": f"{COOKIE}={ours}; {header}"}))
    assert found == browsers.recognise(ours) is not None


def token(data: bytes) -> None:
    """A token, the claims of one that is signed, and its header."""
    verifier = tokens(audience=("bus",), require_expiry=False)
    for candidate in (data.decode("latin-1"), with_secret(data), with_secret(header=data)):
        try:
            identity = verifier.verify(candidate, NOW)
        except TokenInvalid:
            continue
        assert identity.name.isprintable()
        assert identity.valid_for is None or identity.valid_for > 0


def websocket(data: bytes) -> None:
    """What a client sends on a WebSocket: how it is cut into reads makes no difference."""
    whole = _events([data])
    assert _events([data[at : at + 1] for at in range(len(data))]) == whole
    assert _events([data[: len(data) // 3], data[len(data) // 3 :]]) == whole


def _events(reads: list[bytes]) -> list[object]:
    reader = FrameReader(max_size=400)
    events: list[object] = []
    try:
        for read in reads:
            reader.feed(read)
            while (event := reader.next()) is not None:
                assert event[0] in (TEXT, BINARY, CLOSE, PING, PONG)
                assert event[0] != TEXT or event[1].decode() is not None
                assert len(event[1]) <= 400
                events.append(event)
    except FrameInvalid as invalid:
        events.append(invalid.code)
    assert events[-1:] == [] or events[-1] in (1002, 1007, 1009) or isinstance(events[-1], tuple)
    return events


def http(data: bytes) -> None:
    """What a client sends over HTTP: how it is cut into reads makes no difference, nor does rewriting it."""
    whole = _requests([data])
    assert _requests([data[at : at + 1] for at in range(len(data))]) == whole
    for request in whole:
        if isinstance(request, tuple) and not request[-1]:
            assert _requests([request[0]])[0][0] == request[0], (
                "a head means the same when it is written anew"
            )


def _requests(reads: list[bytes]) -> list[Any]:
    reader = RequestReader()
    status: list[Any] = []
    rest = b""
    try:
        for at, read in enumerate(reads):
            reader.feed(read)
            if reader.arrived and reader.arrived[-1].upgrades:
                rest = b"".join(reads[at + 1 :])
                break
    except RequestInvalid as invalid:
        status = [invalid.status]
    assert set(status) <= {400, 405, 431, 505}
    found = [
        (each.head(), each.take_body(), each.complete, each.keep_alive, each.rest + rest, each.upgrades)
        for each in reader.arrived
    ]
    return found + status


def server(data: bytes) -> None:
    """What a server says to a connected client that has a publish and a subscribe under way."""
    protocol = ClientProtocol("websocket", ClientOptions(ack=True))
    protocol.subscribe("/a", 0)
    protocol.handshake(0)
    protocol.opened(0)
    protocol.receive(b'[{"channel":"/meta/handshake","id":"1","successful":true,"clientId":"c"}]', 0)
    protocol.receive(b'[{"channel":"/meta/connect","id":"3","successful":true}]', 0)
    protocol.publish("/a", 1, 0)
    protocol.to_send()
    protocol.receive(data, 0)
    for _ in range(5):
        connects = [envelope for envelope in protocol.to_send() if envelope.is_connect]
        assert len(connects) <= 1
        deadline = protocol.next_deadline()
        if deadline is not None:
            protocol.advance(deadline)
    protocol.disconnect(1e9)
    protocol.lost("it broke", 1e9)
    assert protocol.state is ClientState.DISCONNECTED


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (body, frame, post, name, ext, query, cookie, token, websocket, http, server)
}


@contextmanager
def _world() -> Iterator[World]:
    """A bus with every extension; afterwards nothing has been logged as a failure, and others are served."""
    failures = _Failures()
    log = logging.getLogger("mirant")
    log.addHandler(failures)
    try:
        world = World(max_body=2_000_000)
        world.use(Ack(), BinaryData(), TimeSync(lambda: 1.0), TimeStamp(lambda: 1.0), Activity(60))
        yield world
        witness = world.socket().enter()
        witness.subscribe("/witness")
        world.publish("/witness", "served")
        assert witness.data == ["served"]
        world.advance(1_000)
    finally:
        log.removeHandler(failures)
    assert not failures.records, failures.records[0].getMessage()
    assert not world.failures


class _Failures(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def _check(messages: list[dict[str, Any]]) -> None:
    for message in messages:
        json.dumps(message)
        if message.get("successful") is False:
            assert message["error"].rpartition(":")[2] in _ERRORS, message


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
