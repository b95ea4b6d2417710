"""/meta/handshake (Bayeux 1.0, section 4.1)."""

import json

import pytest

from mirant.bayeux.messages import Message
from mirant.bus.contracts import Observer
from mirant.bus.extension import Extension, Veto
from mirant.bus.identity import CredentialRefused, Identity
from mirant.bus.party import Party
from mirant.bus.refusal import Refusal
from mirant.bus.request import Request
from mirant.bus.session import Session
from mirant.bus.turn import Turn
from mirant.services import Handshake
from mirant.testing import Json, Later, World, reply_to
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


@pytest.fixture
def world() -> World:
    return World(transports=("websocket", "long-polling"))


@pytest.mark.parametrize("transport", ["polling", "socket"])
def test_the_reply_has_all_that_clients_need_and_nothing_else(world: World, transport: str) -> None:
    client = world.polling() if transport == "polling" else world.socket()
    reply = client.handshake()
    assert reply.pop("clientId") == client.client_id
    assert reply == {
        "channel": "/meta/handshake",
        "id": "1",
        "successful": True,
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["websocket", "long-polling"],
        "advice": {"reconnect": "retry", "interval": 0, "timeout": 30_000},
    }


def test_client_ids_cannot_be_guessed(world: World) -> None:
    ids = {world.polling().handshake()["clientId"] for _ in range(200)}
    assert len(ids) == 200
    assert min(map(len, ids)) >= 20


@pytest.mark.parametrize(
    "offer",
    [
        {},
        {"version": "0.9", "minimumVersion": "1.0beta"},
        {"version": 7, "supportedConnectionTypes": "websocket"},
        {"supportedConnectionTypes": []},
        {"advice": {"timeout": 60_000, "interval": 0}},
        {"clientId": "stale"},
    ],
)
def test_nothing_is_negotiated(world: World, offer: dict[str, object]) -> None:
    [reply] = world.polling().ask({"channel": "/meta/handshake", "id": 1, **offer})
    assert reply["successful"] is True
    assert reply["id"] == "1"


def test_a_client_that_handshakes_again_gets_another_session_and_the_first_expires(world: World) -> None:
    client = world.polling()
    first = client.handshake()["clientId"]
    second = client.handshake()["clientId"]
    assert set(world.core.sessions) == {first, second}
    world.advance(9)
    client.connect()
    world.advance(3)
    assert set(world.core.sessions) == {second}


def test_other_messages_with_a_handshake_are_answered_402_and_not_acted_on(world: World) -> None:
    """The reference server answers HTTP 500 to all of them."""
    client = world.polling()
    handshake, publish, again = (
        {"channel": "/meta/handshake", "id": "1"},
        {"channel": "/a", "data": 1, "id": "2"},
        {"channel": "/meta/handshake", "id": "3"},
    )
    replies = client.ask(publish, handshake, again)
    assert [reply["id"] for reply in replies] == ["2", "1", "3"]
    assert [reply["successful"] for reply in replies] == [False, True, False]
    assert replies[0]["error"] == replies[2]["error"] == "402::session_unknown"
    assert len(world.core.sessions) == 1


def test_messages_of_a_live_session_with_a_handshake_are_not_acted_on_either(world: World) -> None:
    alice, bob = world.polling().enter(), world.socket().enter()
    bob.subscribe("/a")
    replies = alice.ask(alice.message("/a", data=1), {"channel": "/meta/handshake", "id": "h"})
    assert [reply["successful"] for reply in replies] == [False, True]
    assert bob.data == []


@pytest.mark.parametrize("spelling", ["/meta/handshake", "/meta/handshake/", "/meta/handshake "])
def test_one_body_opens_one_session_however_the_channel_is_spelt(world: World, spelling: str) -> None:
    world.polling().ask(*({"channel": spelling, "id": str(number)} for number in range(50)))
    assert len(world.core.sessions) == 1


@pytest.mark.parametrize("spelling", ["/meta/handshake", "/meta/handshake/"])
def test_one_body_tries_one_set_of_credentials(world: World, spelling: str) -> None:
    tried: list[object] = []

    @world.services.authenticate
    def deny(handshake: Handshake) -> None:
        tried.append(handshake.ext["password"])

    attempts = ({"channel": spelling, "ext": {"password": number}} for number in range(50))
    replies = world.polling().ask(*attempts)
    assert tried == [0]
    assert not any(reply["successful"] for reply in replies)


def test_the_application_decides_who_may_come_in_and_who_they_are(world: World) -> None:
    @world.services.authenticate
    def who(handshake: Handshake) -> Identity:
        return Identity(handshake.ext["user"], claims={"from": handshake.request.address})

    alice = world.polling()
    assert alice.handshake(ext={"user": "alice"})["successful"]
    assert alice.session.identity == Identity("alice", claims={"from": "127.0.0.1"})


def test_fields_of_the_application_reach_it_with_the_handshake(world: World) -> None:
    seen: list[dict[str, object]] = []

    @world.services.authenticate
    def who(handshake: Handshake) -> Identity:
        seen.append(handshake.fields)
        return Identity("x")

    world.polling().handshake(token="t", device={"os": "x"})
    assert seen == [{"token": "t", "device": {"os": "x"}}]


DENIALS = [None, Veto("no"), RuntimeError("broken"), "alice", True]


@pytest.mark.parametrize("outcome", DENIALS)
@pytest.mark.parametrize("wait", [False, True])
def test_whatever_is_no_identity_denies_and_the_client_is_told_to_stay_away(
    world: World, outcome: object, *, wait: bool
) -> None:
    later = Later()

    def decide(_: Handshake) -> object:
        if wait:
            return later
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    world.services.authenticate(decide)
    poll = world.polling().send({"channel": "/meta/handshake", "id": "1"})
    if wait:
        assert poll.held
        later.fail(outcome) if isinstance(outcome, Exception) else later.resolve(outcome)
    assert poll.messages == [
        {
            "channel": "/meta/handshake",
            "id": "1",
            "successful": False,
            "error": f"403:{outcome if isinstance(outcome, Veto) else ''}:handshake_denied",
            "advice": {"reconnect": "none"},
        }
    ]
    assert poll.cookie is None
    assert world.is_empty()


def test_a_denied_client_may_try_again(world: World) -> None:
    answers = iter([None, Identity("alice")])
    world.services.authenticate(lambda _: next(answers))
    client = world.polling()
    assert not client.handshake()["successful"]
    assert client.handshake()["successful"]


def test_while_one_handshake_waits_others_go_on(world: World) -> None:
    slow, fast = Later(), Identity("fast")
    world.services.authenticate(lambda handshake: slow if handshake.ext["who"] == "slow" else fast)
    waiting = world.polling().send({"channel": "/meta/handshake", "ext": {"who": "slow"}})
    assert world.polling().handshake(ext={"who": "fast"})["successful"]
    assert waiting.held
    slow.resolve(Identity("slow"))
    assert waiting.reply["successful"]


def test_a_session_lives_its_full_time_from_the_reply_however_long_the_decision_took(world: World) -> None:
    later = Later()
    world.services.authenticate(lambda _: later)
    client = world.polling()
    poll = client.send({"channel": "/meta/handshake"})
    world.advance(60)
    later.resolve(Identity("x"))
    client.client_id = poll.reply["clientId"]
    world.advance(9)
    assert client.connect().reply["successful"]


def test_beyond_the_most_sessions_a_handshake_is_refused_with_when_to_come_back() -> None:
    world = World(max_sessions=2)
    first = world.polling().enter()
    world.polling().enter()
    reply = world.polling().handshake()
    assert (reply["successful"], reply["error"]) == (False, "503::too_many_sessions")
    assert reply["advice"]["reconnect"] == "handshake"
    assert reply["advice"]["interval"] > 0
    assert first.publish("/a", 1)["successful"]
    first.disconnect()
    assert world.polling().handshake()["successful"]


def handshake_from(world: World, address: str | None) -> Json:
    """Handshake without a cookie from *address*; return the reply."""
    answers: list[Response] = []

    def answer(response: Response) -> bool:
        answers.append(response)
        return True

    exchange = Exchange(world.core, Request({}, address), answer)
    messages = exchange.read(b'[{"channel":"/meta/handshake","version":"1.0"}]')
    assert messages is not None
    world.run(world.core.receive(messages, exchange, world.now))
    [reply] = json.loads(answers[0].body)
    return dict(reply)


@pytest.mark.parametrize(
    ("addresses", "other"),
    [
        (["192.0.2.1"] * 4, "192.0.2.2"),
        (["127.0.0.1", "::1", "127.0.0.1", "127.0.0.2"], "192.0.2.2"),
        (["2001:db8::1", "2001:db8::2", "2001:db8::ffff:1", "2001:db8::3"], "2001:db8:0:1::1"),
        (["::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], "::ffff:192.0.2.2"),
    ],
)
def test_one_place_has_so_many_sessions_and_leaves_the_others_theirs(
    addresses: list[str], other: str
) -> None:
    world = World(max_sessions_per_address=3)
    *let_in, refused = [handshake_from(world, address) for address in addresses]
    assert [reply["successful"] for reply in let_in] == [True] * 3
    assert refused["error"] == "503:3:address_full"
    assert refused["advice"] == {"reconnect": "handshake", "interval": 10_000}
    assert handshake_from(world, other)["successful"]
    world.core.dismiss(world.core.sessions[let_in[0]["clientId"]])
    assert handshake_from(world, addresses[-1])["successful"]
    world.advance(60)
    assert world.is_empty()


def test_where_no_address_is_known_none_is_counted() -> None:
    world = World(max_sessions_per_address=1)
    assert [handshake_from(world, None)["successful"] for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("state", ["new", "connected", "held", "subscribed"])
def test_a_connection_has_one_session_however_often_it_handshakes(state: str) -> None:
    world = World()
    socket = world.socket()
    for _ in range(20):
        socket.handshake()
        if state != "new":
            socket.connect()
        if state == "held":
            socket.connect()
        if state == "subscribed":
            socket.subscribe("/a")
    assert len(world.core.sessions) == 1
    assert world.core.hub.count <= 1
    assert socket.closed is None


def test_a_handshake_that_waits_ends_the_connections_former_session_too() -> None:
    world = World()
    laters = iter([later := Later(), other := Later()])
    world.services.authenticate(lambda _: next(laters))
    socket = world.socket()
    socket.send({"channel": "/meta/handshake", "version": "1.0"})
    socket.send({"channel": "/meta/handshake", "version": "1.0"})
    later.resolve(Identity("x"))
    other.resolve(Identity("x"))
    assert len(world.core.sessions) == 1


@pytest.mark.parametrize(("max_interval", "lives"), [(10.0, 10.0), (3_600.0, 30.0)])
def test_a_session_that_never_connects_does_not_stay_for_long(max_interval: float, lives: float) -> None:
    world = World(max_interval=max_interval)
    client = world.polling()
    client.handshake()
    world.advance(lives - 1)
    assert client.alive
    world.advance(2)
    assert not client.alive


def test_extensions_see_no_session_at_a_handshake_on_a_bound_connection() -> None:
    class Ears(Extension):
        def incoming(self, message: Message, turn: Turn, now: float) -> None:
            if message.channel == "/meta/handshake":
                seen.append(turn.session)

    seen: list[Session | None] = []
    world = World().use(Ears())
    world.socket().enter().handshake()
    assert seen == [None, None]


def test_handshakes_that_wait_do_not_get_round_the_most_sessions() -> None:
    world = World(max_sessions=2)
    laters = [Later() for _ in range(5)]
    waiting = iter(laters)
    world.services.authenticate(lambda _: next(waiting))
    polls = [world.polling().send({"channel": "/meta/handshake"}) for _ in laters]
    for later in laters:
        later.resolve(Identity("x"))
    assert len(world.core.sessions) <= 2
    assert [poll.reply["successful"] for poll in polls].count(True) == len(world.core.sessions)


def test_a_new_handshake_on_a_connection_takes_the_place_of_its_session(world: World) -> None:
    client = world.socket().enter()
    first = client.client_id
    client.subscribe("/a")
    client.handshake()
    assert client.client_id != first
    stale = {"channel": "/meta/connect", "id": "x", "clientId": first}
    assert reply_to(stale, client.ask(stale))["error"] == "402::session_unknown"
    world.publish("/a", 1)
    assert client.data == []
    world.advance(11)
    assert first not in world.core.sessions


def test_a_new_handshake_on_a_connection_answers_the_connect_that_is_held(world: World) -> None:
    client = world.socket().enter()
    held = client.connect()
    client.handshake()
    assert reply_to(held, client.messages)["id"] == held["id"]


# --- Credentials that are refused ---


def test_a_credential_that_may_soon_be_good_is_worth_another_handshake() -> None:
    world = World()

    def refuse(message: Message, request: Request) -> None:
        raise CredentialRefused("keys_unavailable", temporary=True)

    world.core.hooks.authenticate = refuse
    reply = world.polling().handshake()
    assert reply["error"] == "403:keys_unavailable:handshake_denied"
    assert reply["advice"] == {"reconnect": "handshake", "interval": 10_000}


def test_credentials_that_are_refused_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    def refuse(message: Message, request: Request) -> None:
        raise CredentialRefused("proxy_not_trusted", event="identity.forged", facts={"header": "x-user"})

    world.core.hooks.authenticate = refuse
    for _ in range(3_000):
        assert world.polling().handshake()["advice"] == {"reconnect": "none"}
    forged = [line for line in caplog.messages if line.startswith("identity.forged ")]
    assert forged[0] == "identity.forged address=127.0.0.1 header=x-user"
    assert (len(forged), len(caplog.messages)) == (10, 20)


def test_a_credential_that_is_refused_in_a_connect_is_recorded_too(caplog: pytest.LogCaptureFixture) -> None:
    world = World()

    def refuse(session: Party, message: Message, request: Request) -> None:
        raise CredentialRefused("token_of_another_user", event="identity.conflict", facts={"token": "bob"})

    world.core.hooks.renew = refuse
    client = world.polling()
    client.handshake()
    assert client.connect().reply["error"] == "404:token_of_another_user:message_deleted"
    assert client.alive
    assert caplog.messages == ["identity.conflict address=127.0.0.1 token=bob"]


# --- The transports that a client offers ---


@pytest.mark.parametrize("offered", [["carrier-pigeon"], [""], ["websocket "], ["long-polling2", "flash"]])
def test_who_offers_no_transport_that_we_have_is_refused_without_a_session(offered: list[str]) -> None:
    client = World(transports=("websocket", "long-polling")).polling()
    reply = client.handshake(supportedConnectionTypes=offered)
    assert reply["error"] == "406:websocket,long-polling:connection_types_unknown"
    assert reply["advice"] == {"reconnect": "none"}
    assert reply["supportedConnectionTypes"] == ["websocket", "long-polling"]
    assert "clientId" not in reply
    assert not client.world.core.sessions


def test_it_is_refused_before_its_credentials_are_looked_at() -> None:
    world = World()
    asked: list[object] = []
    world.services.authenticate(asked.append)
    assert not world.polling().handshake(supportedConnectionTypes=["pigeon"])["successful"]
    assert asked == []


@pytest.mark.parametrize(
    "offered",
    [["pigeon", "long-polling"], ["eventsource"], [], None, {}, "long-polling", [1], 7, ["é", "websocket"]],
)
def test_who_offers_one_or_none_or_nothing_that_can_be_read_is_welcome(offered: object) -> None:
    assert World().polling().handshake(supportedConnectionTypes=offered)["successful"]


def test_a_transport_that_is_switched_off_does_not_count() -> None:
    client = World(transports=("websocket",)).socket()
    assert not client.handshake(supportedConnectionTypes=["long-polling", "callback-polling"])["successful"]
    assert client.handshake(supportedConnectionTypes=["websocket"])["successful"]


@pytest.mark.parametrize(
    ("failure", "reason"), [(Veto("too_young"), "too_young"), (RuntimeError("password=1234"), None)]
)
def test_who_watches_is_told_of_a_denied_handshake_and_of_the_reason_that_the_client_is_told(
    world: World, failure: Exception, reason: str | None
) -> None:
    told: list[tuple[str | None, dict[str, object]]] = []

    class Watching(Observer):
        def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
            told.append((refusal.event, dict(refusal.facts)))

    @world.services.authenticate
    def deny(handshake: Handshake) -> Identity:
        raise failure

    world.core.observers.add(Watching())
    assert not world.polling().handshake()["successful"]
    assert told == [("handshake.denied", {"reason": reason})]
