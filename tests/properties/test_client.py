"""Any dialogue of a client with a server that says anything: it survives, and comes back if it is let."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.client_messages import ServerBodyInvalid, decode_server
from mirant.client.events import RequestAnswered, RequestFailed, RequestRefused, TransportUnwanted
from mirant.client.protocol import InvalidState
from mirant.client.states import ACTIVE, ClientState
from tests.client.dialogue import Dialogue, Fields

pytestmark = pytest.mark.timeout(120)

META = ("/meta/handshake", "/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ADVICE = st.fixed_dictionaries(
    {},
    optional={
        "reconnect": st.sampled_from(["retry", "handshake", "none"]) | JSON,
        "interval": st.integers(-1, 5_000) | JSON,
        "timeout": st.integers(0, 60_000) | JSON,
        "maxInterval": st.integers(0, 20_000) | JSON,
        "multiple-clients": st.booleans() | JSON,
    },
)
# The fields that a reply may have beside those that it echoes.
REPLY = st.fixed_dictionaries(
    {"successful": st.booleans()},
    optional={
        "clientId": st.sampled_from(["c1", "c2"]) | JSON,
        "error": st.sampled_from(["402::session_unknown", "403::no", "503::busy"]) | JSON,
        "advice": ADVICE | JSON,
        "ext": st.fixed_dictionaries({"ack": st.integers(0, 9) | st.booleans() | JSON}) | JSON,
        "supportedConnectionTypes": st.just(["websocket"]) | JSON,
        "data": JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "channel": st.sampled_from([*META, "/a"]) | JSON,
        "id": st.integers(0, 30).map(str) | st.integers(0, 30) | JSON,
        "subscription": st.sampled_from(["/a", "/b"]) | JSON,
    },
).flatmap(lambda fields: REPLY.map(lambda reply: {**reply, **fields}))

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(["handshake", "subscribe", "unsubscribe", "publish"])),
        st.tuples(st.just("disconnect"), st.none()),
        st.tuples(st.just("reply"), st.tuples(st.sampled_from([*META, "/a"]), REPLY)),
        st.tuples(st.just("accept"), st.sampled_from([*META, "/a"])),
        st.tuples(st.just("say"), st.lists(MESSAGE, max_size=3)),
        st.tuples(st.just("babble"), st.binary(max_size=20) | JSON.map(lambda v: json.dumps(v).encode())),
        st.tuples(st.just("advance"), st.floats(0, 100)),
        st.tuples(st.just("lose"), st.none()),
        st.tuples(st.just("open"), st.none()),
        st.tuples(st.just("fail"), st.integers(0, 3)),
        st.tuples(st.just("answer"), st.integers(0, 3)),
    ),
    max_size=25,
)


class Chaos(Dialogue):
    """A dialogue in which anything happens, and an account of what is under way on the wire."""

    def __init__(self) -> None:
        super().__init__(ack=True)
        self.under_way: dict[str, str] = {}  # id → channel

    def step(self, kind: str, what: Any) -> None:
        """Do one step."""
        before = len(self.seen)
        try:
            getattr(self, f"do_{kind}")(what)
        except InvalidState:
            pass
        self.check(before)

    def do_ask(self, what: str) -> None:
        arguments = {"handshake": (), "publish": ("/a", 1)}.get(what, ("/a",))
        getattr(self, what)(*arguments)

    def do_disconnect(self, _: None) -> None:
        self.disconnect()

    def do_accept(self, channel: str) -> None:
        self.do_reply((channel, {"successful": True, "clientId": "c1"}))

    def do_reply(self, what: tuple[str, Fields]) -> None:
        channel, fields = what
        if any(message["channel"] == channel for message in self.sent):
            self.do_say([{**self.reply(channel), **fields}])

    def do_say(self, messages: list[Fields]) -> None:
        self.do_babble(json.dumps(messages).encode())

    def do_babble(self, body: bytes) -> None:
        self._hear(body)
        self.tell_raw(body)

    def do_advance(self, seconds: float) -> None:
        self.advance(seconds)

    def do_lose(self, _: None) -> None:
        self.under_way.clear()
        self.lose()

    def do_open(self, _: None) -> None:
        self.open()

    def do_fail(self, back: int) -> None:
        if back < len(self.envelopes):
            envelope = self.envelopes[-1 - back]
            for message_id in envelope.ids:
                self.under_way.pop(message_id, None)
            self.protocol.failed(envelope, "HTTP 502", self.now)
            self.settle()

    def do_answer(self, back: int) -> None:
        if back < len(self.envelopes):
            envelope = self.envelopes[-1 - back]
            for message_id in envelope.ids:
                self.under_way.pop(message_id, None)
            self.protocol.receive(b"[]", self.now, answer_to=envelope)
            self.settle()

    def settle(self) -> list[Fields]:
        before = len(self.seen)
        sent = super().settle()
        if any(isinstance(event, TransportUnwanted) for event in self.seen[before:]):
            self.under_way.clear()
        for message in sent:
            self.under_way[message["id"]] = message["channel"]
            for channel in ("/meta/connect", "/meta/handshake"):
                assert list(self.under_way.values()).count(channel) <= 1, f"two of {channel} under way"
        return sent

    def check(self, before: int) -> None:
        """Check what holds at any time."""
        state, deadline = self.state(), self.protocol.next_deadline()
        assert (state is ClientState.DISCONNECTED) <= (deadline is None), "it is over"
        if state in ACTIVE:
            assert deadline is not None, "it waits for nothing"
        for outcomes in self.outcomes().values():
            assert len(outcomes) == 1

    def _hear(self, body: bytes) -> None:
        try:
            messages = decode_server(body)
        except ServerBodyInvalid:
            return
        for message in messages:
            if message.id is not None and not message.is_delivery:
                self.under_way.pop(message.id, None)


@given(steps=STEPS, entered=st.booleans())
def test_nothing_a_server_says_confuses_a_client(steps: list[tuple[str, Any]], *, entered: bool) -> None:
    chaos = _begin(entered=entered)
    for kind, what in steps:
        chaos.step(kind, what)
    chaos.do_disconnect(None)
    chaos.advance(100)

    assert chaos.state() is ClientState.DISCONNECTED
    settled = {
        event.request.id
        for event in chaos.seen
        if isinstance(event, RequestAnswered | RequestRefused | RequestFailed)
    }
    asked = {message["id"] for message in chaos.sent if message["channel"] not in META[:2]}
    assert asked <= settled, "each request of the application has an outcome"


@given(steps=STEPS, entered=st.booleans())
def test_a_client_comes_back_to_a_server_that_behaves(steps: list[tuple[str, Any]], *, entered: bool) -> None:
    chaos = _begin(entered=entered)
    for kind, what in [step for step in steps if step[0] != "disconnect"]:
        chaos.step(kind, what)
    if chaos.state() not in ACTIVE:
        chaos.handshake()
    for _ in range(5):  # it may have to wait, and to find that a connect is lost or a session is gone
        _behave(chaos)
        if chaos.state() is not ClientState.CONNECTED:
            chaos.wait()

    assert chaos.state() is ClientState.CONNECTED
    assert chaos.protocol.subscriptions.is_settled


def _begin(*, entered: bool) -> Chaos:
    chaos = Chaos()
    chaos.subscribe("/wanted")
    if entered:
        for step in (("ask", "handshake"), ("accept", META[0]), ("accept", META[1]), ("accept", META[2])):
            chaos.step(*step)
        assert "/wanted" in chaos.protocol.subscriptions.granted
    return chaos


def _behave(chaos: Chaos) -> None:
    """Answer everything that is under way but one connect, which is held."""
    while waiting := [
        message
        for message in chaos.sent
        if message["id"] in chaos.under_way
        and not (message["channel"] == "/meta/connect" and "advice" not in message)
    ]:
        message = waiting[0]
        echoed: Fields = {
            name: message[name] for name in ("channel", "id", "subscription") if name in message
        }
        advice = {"reconnect": "retry", "interval": 0, "timeout": 1_000, "maxInterval": 0}
        chaos.do_say([{**echoed, "successful": True, "clientId": "c3", "advice": advice}])


@given(body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_messages_or_refused(body: bytes) -> None:
    try:
        messages = decode_server(body)
    except ServerBodyInvalid:
        return
    assert all(isinstance(message.channel, str) for message in messages)
