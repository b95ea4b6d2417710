"""Attacks on the rules, and points of OWASP's WebSocket cheat sheet that no other test proves; see docs."""

from __future__ import annotations

import pytest

from mirant.bus.session import Session
from mirant.testing import PollingClient, World
from tests.policy.rulebooks import rulebook
from tests.policy.test_rule_guard import OPEN, enter, ruled

SECRET = """
[[channel]]
match = "/**"
subscribe = "anyone"
publish = "anyone"
call = "anyone"
[[channel]]
match = ["/secret", "/secret/**"]
subscribe = "role:spy"
publish = "role:spy"
[[channel]]
match = "/service/secret/**"
call = "role:spy"
"""

# Spellings of a channel with which a client that must not use it may try.
SPELLINGS = [
    "/secret",
    "/secret/",
    "/secret ",
    "/secret /",
    "/secret/x",
    "/secret/x/",
    "/secret/x ",
    "/secret/x/ ",
    "//secret/x",
    "/secret//x",
    "secret/x",
    " /secret/x",
    "/Secret/x",
    "/SECRET/x",
    "/s\u0435cret/x",
    "/\u017fecret/x",
    "/\uff53ecret/x",
    "/secret\u200b/x",
    "/secret\u00a0",
    "/secret\u0000",
    "/secret/x\n",
    "/secret/x\t",
    "/%73ecret/x",
    "/secret%2fx",
    "/secret%00",
    "/a/../secret/x",
    "/./secret/x",
    "/secret/./x",
    "/secret\\x",
    "/secret/x?",
    "/secret/x#",
    "/secret;a=b/x",
    "/{secret}/x",
    "/secret/{x}",
    "/*",
    "/**",
    "/*/",
    "/** ",
    "/**/",
    "/***",
    "/*/x",
    "/*/*",
    "/**/x",
    "/s*",
    "/secret*",
    "/secret/*",
    "/secret/**",
    "/secret/x*",
    "/secret/x/*",
    "/secret/x/**",
    "/service/**",
    "/meta/**",
    "",
    "/",
]


def overhears(world: World, client: PollingClient) -> bool:
    """Whether *client* gets anything that is said where only spies may listen."""
    for channel in ("/secret", "/secret/x", "/secret/x/y"):
        world.publish(channel, "for spies")
    client.connect(advice={"timeout": 0})
    return "for spies" in client.data


@pytest.mark.parametrize("name", SPELLINGS)
def test_no_spelling_gets_round_a_rule(name: str) -> None:
    world = ruled(SECRET)
    client, spy = enter(world), enter(world, "james+spy")
    spy.subscribe(["/secret", "/secret/**"])
    client.subscribe(name)
    client.subscribe([name])
    client.subscribe(["/harmless", name])
    assert not overhears(world, client)
    client.publish(name, "from a stranger")
    spy.connect(advice={"timeout": 0})
    assert "from a stranger" not in spy.data
    assert overhears(world, spy)


@pytest.mark.parametrize("name", SPELLINGS)
def test_no_spelling_gets_at_a_service(name: str) -> None:
    world = ruled(SECRET)
    called: list[object] = []
    world.services.rpc("/secret/x")(lambda caller, data: called.append(data))
    enter(world).publish("/service" + name, "from a stranger")
    assert called == []
    assert enter(world, "james+spy").publish("/service/secret/x", "from a spy")["successful"]
    assert called == ["from a spy"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"channel":"/ok","cha\\u006enel":"/secret/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/ok","channel":"/secret/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/secret\\/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/\\u0073ecret/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":["/secret/x"],"clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/ok","Channel":"/secret/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/ok","subscription":"/secret/x","clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/ok","ext":{"channel":"/secret/x"},"clientId":"%b","data":"from a stranger"}',
        b'{"channel":"/ok","data":{"channel":"/secret/x","data":"from a stranger"},"clientId":"%b"}',
    ],
)
def test_a_message_has_one_channel_however_it_is_written(body: bytes) -> None:
    world = ruled(SECRET)
    spy, stranger = enter(world, "james+spy"), enter(world)
    spy.subscribe(["/secret", "/secret/**"])
    stranger.post(body % (stranger.client_id or "").encode())
    spy.connect(advice={"timeout": 0})
    assert spy.deliveries == []


def test_a_client_cannot_speak_as_the_bus() -> None:
    world = ruled(OPEN)
    victim, forger = enter(world), enter(world)
    victim.subscribe(["/service/**", "/**"])
    forger.publish("/service/mirant/revoked", {"subscriptions": ["/a"]})
    forger.publish("/meta/revoked", {"advice": {"reconnect": "none"}})
    forger.publish("/a", 1, successful=False, error="402::", advice={"reconnect": "none"})
    victim.connect(advice={"timeout": 0})
    assert victim.deliveries == [{"channel": "/a", "data": 1}]


# --- Sessions, transports, identities ---


def test_a_session_takes_its_identity_along_to_another_transport_and_nobody_elses() -> None:
    world = ruled('[[channel]]\nmatch = "/users/{user}/**"\nsubscribe = "self"')
    alice = enter(world, "alice")
    socket = world.socket(alice)
    assert socket.subscribe("/users/alice/inbox")["successful"]
    assert not socket.subscribe("/users/bob/inbox")["successful"]
    thief = world.socket(cookie="")
    thief.client_id = alice.client_id
    assert thief.subscribe("/users/alice/inbox")["error"] == "402::session_unknown"


def test_a_second_handshake_on_a_connection_inherits_nothing() -> None:
    world = ruled('[[channel]]\nmatch = "/users/{user}/**"\nsubscribe = "self"')
    socket = world.socket()
    socket.handshake(ext={"me": "alice"})
    assert socket.subscribe("/users/alice/inbox")["successful"]
    socket.handshake()
    assert not socket.subscribe("/users/alice/inbox")["successful"]
    assert socket.session.subscriptions == set()


def test_each_message_is_judged_by_the_rules_of_its_moment() -> None:
    world = ruled(OPEN)
    socket = world.socket()
    socket.handshake()
    assert socket.publish("/a", 1)["successful"]
    world.enforce(rulebook('[[channel]]\nmatch = "/a"\npublish = "server"'))
    assert not socket.publish("/a", 1)["successful"]


def test_on_a_socket_a_session_whose_identity_runs_out_gets_nothing_more() -> None:
    world = ruled(OPEN)
    socket = world.socket()
    socket.handshake(ext={"me": "alice", "lasts": 12})
    socket.subscribe("/a")
    socket.connect()
    held = socket.connect()
    world.advance(12.1)
    [reply] = [message for message in socket.messages if message.get("id") == held["id"]]
    assert reply["error"] == "402::session_unknown"
    assert reply["advice"] == {"reconnect": "handshake", "interval": 0}
    assert world.publish("/a", "too late") == 0
    assert socket.publish("/a", 1)["error"] == "402::session_unknown"


def test_the_application_ends_all_sessions_of_a_user_who_logs_out() -> None:
    world = ruled(OPEN)
    by_user: dict[str, set[Session]] = {}

    def arrived(session: Session) -> None:
        assert session.identity is not None
        by_user.setdefault(session.identity.name, set()).add(session)

    world.services.on_join(arrived)
    first, second, other = enter(world, "alice"), enter(world, "alice"), enter(world, "bob")
    poll = first.connect()
    for session in by_user["alice"]:
        world.dismiss(session)
    assert poll.reply["advice"]["reconnect"] == "none"
    assert (first.alive, second.alive, other.alive) == (False, False, True)


# --- Abuse ---


def test_what_is_refused_grows_nothing() -> None:
    world = ruled(SECRET)
    client = enter(world)
    for number in range(3_000):
        client.subscribe(f"/secret/{number}")
        client.publish(f"/secret/{number}", number)
        client.publish(f"/service/secret/{number}", number)
    assert client.session.subscriptions == set()
    assert len(world.core.hub.subscriptions) == 0
    assert client.session.rates == {}
    assert client.session.outbox.size == 0


def test_a_rule_has_one_allowance_for_all_its_channels_and_counts_in_one_place() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nrate = "5/s"')
    client = enter(world)
    allowed = [client.publish(f"/chat/{number}", number)["successful"] for number in range(100)]
    assert allowed == [True] * 5 + [False] * 95
    assert len(client.session.rates or {}) == 1


def test_one_channel_that_is_nobodys_keeps_wildcards_from_full_rooms() -> None:
    rules = """
[[channel]]
match = "/rooms/{room}"
subscribe = "anyone"
max_members = 1
[[channel]]
match = "/rooms/-"
subscribe = "server"
"""
    world = ruled(rules)
    first, second = enter(world), enter(world)
    assert first.subscribe("/rooms/a")["successful"]
    for name in ("/rooms/a", "/rooms/*", "/rooms/**", "/**"):
        assert not second.subscribe(name)["successful"]
