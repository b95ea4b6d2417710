"""Rules in force: what a client on the wire is told, gets and loses."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Message
from mirant.bus.extension import Veto
from mirant.bus.identity import Identity
from mirant.bus.party import Party
from mirant.bus.request import Request
from mirant.extensions.binary import Binary
from mirant.services import Caller, filtered
from mirant.testing import OFFER, Later, Poll, PollingClient, World
from tests.policy.rulebooks import identity, rulebook

DENIED = "403:denied_by_security_policy:"
OPEN = '[[channel]]\nmatch = "/**"\nsubscribe = "anyone"\npublish = "anyone"\ncall = "anyone"\n'


def who(message: Message, request: Request) -> Identity | None:
    """Believe what the client says of itself in ``ext.me``, and that it lasts for ``ext.lasts`` seconds."""
    ext: Mapping[str, Any] = {name: msgspec.json.decode(raw) for name, raw in (message.ext or {}).items()}
    found = identity(ext.get("me", "-"))
    if found is not None and "lasts" in ext:
        return Identity(found.name, found.roles, found.claims, valid_for=ext["lasts"])
    return found


def renewed(session: Party, message: Message, request: Request) -> Identity | None:
    if message.ext and "bad" in message.ext:
        raise Veto("token_expired")
    return who(message, request)


def ruled(rules: str, **settings: Any) -> World:
    world = World(**settings)
    world.core.hooks.authenticate = who
    world.core.hooks.renew = renewed
    world.enforce(rulebook(rules))
    return world


def enter(world: World, me: str = "-", **ext: object) -> PollingClient:
    client = world.polling()
    assert client.handshake(ext={"me": me, **ext})["successful"]
    client.connect()
    return client


# --- What is denied, and how ---


def test_what_no_rule_allows_is_denied_with_the_reference_servers_words() -> None:
    client = enter(ruled('[[channel]]\nmatch = "/only"\nsubscribe = "anyone"'))
    assert client.subscribe("/only")["successful"]
    assert client.subscribe("/other")["error"] == DENIED + "subscribe_denied"
    assert client.subscribe("/**")["error"] == DENIED + "subscribe_denied"
    assert client.publish("/only", 1)["error"] == DENIED + "publish_denied"
    assert client.publish("/service/x", 1)["error"] == DENIED + "publish_denied"


def test_a_denied_publish_reaches_nobody() -> None:
    world = ruled('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\npublish = "role:w"')
    reader, writer, stranger = enter(world), enter(world, "w+w"), enter(world, "s")
    reader.subscribe("/a")
    stranger.publish("/a", "no")
    writer.publish("/a", "yes")
    reader.connect()
    assert reader.data == ["yes"]


def test_the_server_may_publish_where_no_client_may() -> None:
    world = ruled('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\npublish = "server"')
    client = enter(world)
    client.subscribe("/a")
    assert world.publish("/a", 1) == 1


def test_a_handshake_may_be_denied() -> None:
    world = ruled('[[channel]]\nmatch = "/meta/handshake"\ncall = "authenticated"\n' + OPEN)
    reply = world.polling().handshake()
    assert (reply["error"], reply["advice"]) == ("403::handshake_denied", {"reconnect": "none"})
    assert enter(world, "alice").alive


def test_a_list_of_subscriptions_stops_at_the_first_that_is_denied() -> None:
    world = ruled('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"')
    client = enter(world)
    assert client.subscribe(["/a", "/b"])["error"] == DENIED + "subscribe_denied"
    assert [pattern.name for pattern in client.session.subscriptions] == ["/a"]


def test_service_calls_need_the_right_too() -> None:
    world = ruled('[[channel]]\nmatch = "/service/echo"\ncall = "authenticated"')
    world.services.rpc("/echo")(lambda caller, data: data)
    assert enter(world).publish("/service/echo", 1)["error"] == DENIED + "publish_denied"
    alice = enter(world, "alice")
    assert alice.publish("/service/echo", 1)["successful"]
    assert alice.data == [1]


# --- Creation and members ---


def test_a_channel_is_created_by_those_who_may_and_then_used_by_all() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/rooms/*"\ncreate = "role:admin"')
    client, admin = enter(world), enter(world, "root+admin")
    assert client.subscribe("/rooms/a")["error"] == DENIED + "create_denied"
    assert client.publish("/rooms/a", 1)["error"] == DENIED + "channel_create_denied"
    assert admin.subscribe("/rooms/a")["successful"]
    assert client.subscribe("/rooms/a")["successful"]
    assert client.publish("/rooms/a", 1)["successful"]


def test_a_persistent_channel_needs_no_creation() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/rooms/*"\ncreate = "server"\npersistent = true')
    assert enter(world).subscribe("/rooms/a")["successful"]


def test_a_channel_has_so_many_members_and_no_more() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/rooms/*"\nmax_members = 2')
    first, second, third = (enter(world) for _ in range(3))
    assert first.subscribe("/rooms/a")["successful"]
    assert second.subscribe("/rooms/a")["successful"]
    assert third.subscribe("/rooms/a")["error"] == "403:2:channel_full"
    assert third.subscribe("/rooms/b")["successful"]
    assert second.subscribe("/rooms/a")["successful"], "who is in stays in"
    first.disconnect()
    assert third.subscribe("/rooms/a")["successful"]


# --- Limits ---


def test_a_message_has_so_many_bytes_and_no_more() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = ["/small", "/service/small"]\nmax_message = 7')
    client = enter(world)
    assert client.publish("/small", "12345")["successful"]
    assert client.publish("/small", "123456")["error"] == "413:7:message_too_large"
    assert client.publish("/service/small", "123456")["error"] == "413:7:message_too_large"
    assert client.publish("/large", "123456")["successful"]


@pytest.mark.parametrize(
    "fields", [{"ext": {"pad": "xxxxxxxx"}}, {"pad": "xxxxxxxx"}, {"timestamp": "xxxxxxxx"}]
)
def test_a_message_has_no_more_bytes_beside_its_data(fields: dict[str, Any]) -> None:
    client = enter(ruled(OPEN + '[[channel]]\nmatch = "/small"\nmax_message = 9'))
    assert client.publish("/small", 1)["successful"]
    assert client.publish("/small", 1, **fields)["error"] == "413:9:message_too_large"


def test_a_session_publishes_at_the_rate_and_no_faster() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nrate = "3/s"')
    client, other = enter(world), enter(world)
    errors = [client.publish("/chat/a", n).get("error") for n in range(4)]
    assert errors == [None, None, None, "429:3/s:rate_exceeded"]
    assert client.publish("/chat/b", 1)["error"] == "429:3/s:rate_exceeded", (
        "the rule's channels count together"
    )
    assert client.publish("/free", 1)["successful"]
    assert other.publish("/chat/a", 1)["successful"]
    world.advance(0.34)
    assert client.publish("/chat/a", 5)["successful"]
    assert not client.publish("/chat/a", 6)["successful"]
    world.advance(1.0)
    assert [client.publish("/chat/a", n)["successful"] for n in range(4)] == [True, True, True, False]


def test_a_channels_overflow_goes_before_the_sessions() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/ticks"\noverflow = "drop-oldest"', max_outbox=200)
    client = enter(world)
    client.subscribe(["/ticks", "/news"])
    for n in range(20):
        world.publish("/ticks", n)
    assert client.alive
    client.connect()
    assert client.data[-1] == 19
    for n in range(20):
        world.publish("/news", n)
    assert not client.alive


def test_the_latest_is_an_overflow_too() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/price"\noverflow = "latest"')
    client = enter(world)
    client.subscribe("/price")
    for n in range(5):
        world.publish("/price", n)
    client.connect()
    assert client.data == [4]


# --- Filters ---


def test_filters_change_what_everybody_gets() -> None:
    rules = (
        OPEN + '[[channel]]\nmatch = "/chat/*"\nfilters = ["no-markup", { regex = [["d[ao]rn", "dear"]] }]'
    )
    world = ruled(rules)
    client = enter(world)
    client.subscribe("/**")
    client.publish("/chat/a", {"<b>": "darn <i>"})
    client.publish("/other", {"<b>": "darn <i>"})
    client.connect()
    assert client.data == [{"&lt;b&gt;": "dear &lt;i&gt;"}, {"<b>": "darn <i>"}]


def test_a_message_that_a_filter_drops_is_answered_so() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nfilters = [{ size = 5 }]')
    client = enter(world)
    client.subscribe("/chat/a")
    assert client.publish("/chat/a", "123456")["error"] == "404:too_large:message_deleted"
    client.connect()
    assert client.data == []


def test_filters_leave_nothing_beside_the_data_through() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nfilters = ["no-markup"]')
    client = enter(world)
    client.subscribe("/chat/a")
    client.publish("/chat/a", 1, html="<b>", ext={"html": "<b>"}, timestamp="<b>")
    client.connect()
    assert client.deliveries == [{"channel": "/chat/a", "data": 1}]


def test_calls_are_filtered_too() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/service/echo"\nfilters = ["no-markup"]')
    world.services.rpc("/echo")(lambda caller, data: data)
    client = enter(world)
    client.publish("/service/echo", "<b>")
    assert client.data == ["&lt;b&gt;"]


def test_a_channel_without_filters_forwards_the_very_bytes() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nfilters = ["no-markup"]')
    client = enter(world)
    client.subscribe("/raw")
    data = b'{"n": 1.10,  "e":"\\u003c"}'
    client_id = (client.client_id or "").encode()
    answer = client.post(b'[{"channel":"/raw","clientId":"%b","data":%b}]' % (client_id, data))
    assert b'"data":' + data in answer.body


# --- Identities that run out ---


def test_a_session_ends_when_its_identity_runs_out() -> None:
    world = ruled(OPEN)
    client = enter(world, "alice", lasts=12)
    poll = client.connect()
    world.advance(11.9)
    assert poll.held
    world.advance(0.2)
    assert poll.reply["error"] == "402::session_unknown"
    assert poll.reply["advice"] == {"reconnect": "handshake", "interval": 0}
    assert not client.alive


def test_a_fresh_credential_on_a_connect_prolongs_the_session() -> None:
    world = ruled(OPEN)
    client = enter(world, "alice", lasts=12)
    client.connect(advice={"timeout": 0})
    world.advance(8)
    poll = client.connect(ext={"me": "alice", "lasts": 60})
    world.advance(29)
    assert poll.held
    world.advance(1)
    assert poll.reply["successful"]
    assert client.alive


def test_a_connect_without_a_credential_prolongs_nothing() -> None:
    world = ruled(OPEN)
    client = enter(world, "alice", lasts=12)
    poll = client.connect()
    world.advance(12.1)
    assert not poll.held
    assert not client.alive


def test_a_bad_credential_on_a_connect_refuses_it_and_leaves_the_session() -> None:
    world = ruled(OPEN)
    client = enter(world, "alice", lasts=12)
    poll = client.connect(ext={"bad": 1})
    assert poll.reply["error"] == "404:token_expired:message_deleted"
    assert client.alive


def test_an_anonymous_client_signs_in_with_a_connect() -> None:
    world = ruled('[[channel]]\nmatch = "/users/{user}/inbox"\nsubscribe = "self"')
    client = enter(world)
    assert not client.subscribe("/users/alice/inbox")["successful"]
    client.connect(ext={"me": "alice"}, advice={"timeout": 0})
    assert client.subscribe("/users/alice/inbox")["successful"]
    assert not client.subscribe("/users/bob/inbox")["successful"]


NOT_MALLORY = '[[channel]]\nmatch = "/meta/handshake"\ncall = { allow = "anyone", deny = "user:mallory" }\n'


@pytest.mark.parametrize("asynchronous", [False, True])
def test_who_may_not_handshake_cannot_sign_in_with_a_connect(
    caplog: pytest.LogCaptureFixture, *, asynchronous: bool
) -> None:
    world = ruled(NOT_MALLORY + OPEN)
    if asynchronous:

        async def later(session: Party, message: Message, request: Request) -> Identity | None:
            return renewed(session, message, request)

        world.core.hooks.renew = later
    client = enter(world)
    poll = client.connect(ext={"me": "mallory"})
    world.settle()
    assert poll.reply["error"] == "403::handshake_denied"
    assert poll.reply["advice"] == {"reconnect": "none"}
    assert client.alive
    assert client.session.identity is None
    assert caplog.messages == [
        "handshake.denied address=127.0.0.1 user=mallory rule=/meta/handshake@1",
    ]
    client.connect(ext={"me": "alice"}, advice={"timeout": 0})
    assert client.session.identity == Identity("alice")


def test_who_may_not_handshake_any_more_cannot_prolong_the_session() -> None:
    world = ruled('[[channel]]\nmatch = "/meta/handshake"\ncall = "role:member"\n' + OPEN)
    client = enter(world, "alice+member", lasts=12)
    poll = client.connect(ext={"me": "alice", "lasts": 60})
    assert poll.reply["error"] == "403::handshake_denied"
    assert client.session.identity == Identity("alice", frozenset({"member"}), valid_for=12)
    world.advance(12.1)
    assert not client.alive


# --- Other rules, in force from one moment to the next ---


def test_new_rules_revoke_what_they_would_not_grant_and_say_so() -> None:
    world = ruled(OPEN)
    client = enter(world)
    client.subscribe(["/a", "/b", "/**"])
    world.publish("/b", "what waits already")
    world.enforce(rulebook('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\npublish = "server"'))
    client.connect()
    assert client.deliveries == [
        {"channel": "/b", "data": "what waits already"},
        {"channel": "/service/mirant/revoked", "data": {"subscriptions": ["/**", "/b"]}},
    ]
    assert world.publish("/a", 1) == 1
    assert world.publish("/b", 1) == 0
    assert client.publish("/a", 1)["error"] == DENIED + "publish_denied"


def test_another_role_revokes_what_the_former_was_granted() -> None:
    world = ruled('[[channel]]\nmatch = "/staff"\nsubscribe = "role:staff"')
    client = enter(world, "alice+staff", lasts=30)
    assert client.subscribe("/staff")["successful"]
    client.connect(ext={"me": "alice", "lasts": 60}, advice={"timeout": 0})
    assert world.publish("/staff", 1) == 0


def test_a_subscription_that_waited_for_the_application_is_judged_by_the_rules_in_force_then() -> None:
    world = ruled(OPEN)
    answer = Later()

    async def slow(caller: object, room: str) -> None:
        await answer

    world.services.on_subscribe("/chat/{room}")(slow)
    client = enter(world)
    client.send(client.message("/meta/subscribe", subscription="/chat/a"))
    world.enforce(rulebook('[[channel]]\nmatch = "/x"\nsubscribe = "anyone"'))
    answer.resolve()
    assert world.publish("/chat/a", 1) == 0


OPEN_A = '[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\npublish = "anyone"\nhistory = 5\n'


def waiting_publish(gate: Later) -> tuple[World, PollingClient, PollingClient, Poll]:
    """Return a publish to /a that waits at *gate* for the application, with its world, reader and writer."""
    world = ruled(OPEN_A)

    @world.services.on_publish("/a")
    async def see(caller: Caller, data: object) -> None:
        await gate

    reader, writer = enter(world), enter(world, "bob")
    reader.subscribe("/a")
    return world, reader, writer, writer.send(writer.message("/a", data="<b>"))


def test_a_publish_that_waited_for_the_application_is_judged_by_the_rules_in_force_then() -> None:
    gate = Later()
    world, reader, _, publish = waiting_publish(gate)
    world.enforce(rulebook(OPEN_A.replace('publish = "anyone"', 'publish = "server"')))
    gate.resolve()
    assert publish.reply["error"] == DENIED + "publish_denied"
    reader.connect()
    assert reader.data == []
    assert world.core.hub.history(Channel.parse("/a"), last=5).items == []


def test_a_publish_that_waited_goes_through_the_filters_in_force_then() -> None:
    gate = Later()
    world, reader, _, publish = waiting_publish(gate)
    world.enforce(rulebook(OPEN_A + 'filters = ["no-markup"]\n'))
    gate.resolve()
    assert publish.reply["successful"]
    reader.connect()
    assert reader.data == ["&lt;b&gt;"]


def test_a_publish_that_waited_reaches_nobody_if_its_session_was_dismissed() -> None:
    gate = Later()
    world, reader, writer, publish = waiting_publish(gate)
    world.dismiss(writer.session)
    gate.resolve()
    assert publish.messages[-1]["error"] == "402::session_unknown"
    reader.connect()
    assert reader.data == []


def test_a_publish_that_waited_counts_once() -> None:
    gate = Later()
    world = ruled(OPEN_A + 'rate = "2/m"\n')

    @world.services.on_publish("/a")
    async def see(caller: Caller, data: object) -> None:
        await gate

    writer = enter(world)
    gate.resolve()
    assert [writer.publish("/a", number)["successful"] for number in range(3)] == [True, True, False]


def test_what_the_application_makes_of_a_message_is_filtered_and_what_it_leaves_alone_only_once() -> None:
    world = ruled(OPEN_A + 'filters = [{ regex = [["x", "xx"]] }]\n')

    @world.services.on_publish("/a")
    def see(caller: Caller, data: object) -> object:
        return "made of x" if data == "change" else None

    reader, writer = enter(world), enter(world)
    reader.subscribe("/a")
    writer.publish("/a", "change")
    writer.publish("/a", "x")
    reader.connect()
    assert reader.data == ["made of xx", "xx"]


def test_a_channel_with_filters_takes_no_binary_data() -> None:
    world = ruled(OPEN_A + 'filters = ["no-markup"]\n')
    client = enter(world)
    wire = {"data": {"data": "nm<>>", "last": True}, "ext": {"binary": {}}}
    assert client.ask(client.message("/a", **wire))[0]["error"] == "404:binary_data:message_deleted"
    guard = world.core.guard
    assert guard is not None
    with pytest.raises(Veto, match="binary_data"):
        filtered(guard, Channel.parse("/a"), Binary(b"nm", meta={"name": "<script>"}))


def test_a_call_without_data_passes_filters() -> None:
    world = ruled(OPEN + 'filters = ["no-markup"]\n')
    got = []

    @world.services.service("/join")
    def join(caller: Caller, data: object) -> None:
        got.append(data)

    client = enter(world)
    [reply] = client.ask(client.message("/service/join"))
    assert reply["successful"]
    assert got == [None]


def test_channels_that_were_refused_are_not_kept() -> None:
    book = rulebook('[[channel]]\nmatch = "/**"\npublish = "role:w"\ncreate = "role:host"\n')
    world = World()
    world.core.hooks.authenticate = who
    world.enforce(book)
    for name in ("s", "w+w"):  # the one may not publish at all, the other not be the first
        client = enter(world, name)
        for number in range(20):
            assert not client.publish(f"/x/{number}", 1)["successful"]
    assert not any(name.startswith("/x/") for name in book._kept)


def test_a_handshake_that_waited_is_judged_by_the_options_in_force_then() -> None:
    gate = Later()
    world = ruled(OPEN)

    async def before(message: Message, request: Request) -> Identity:
        await gate
        return Identity("mallory")

    def now(message: Message, request: Request) -> Identity:
        raise Veto("not_any_more")

    world.core.hooks.authenticate = before
    poll = world.polling().send({"channel": "/meta/handshake", "id": "1", **OFFER})
    world.core.hooks.authenticate = now
    gate.resolve()
    assert poll.reply["error"] == "403:not_any_more:handshake_denied"


def test_a_credential_that_waited_is_judged_by_the_options_in_force_then() -> None:
    gate = Later()
    world = ruled(OPEN)
    client = enter(world)

    async def before(session: Party, message: Message, request: Request) -> Identity:
        await gate
        return Identity("mallory")

    def now(session: Party, message: Message, request: Request) -> None:
        raise Veto("not_any_more")

    world.core.hooks.renew = before
    poll = client.connect()
    world.core.hooks.renew = now
    gate.resolve()
    assert poll.reply["error"] == "404:not_any_more:message_deleted"
    assert client.session.identity is None


def test_members_that_waited_for_the_application_are_counted() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nmax_members = 1')
    answer = Later()

    async def slow(caller: object, room: str) -> None:
        await answer

    world.services.on_subscribe("/chat/{room}")(slow)
    for client in (enter(world), enter(world)):
        client.send(client.message("/meta/subscribe", subscription="/chat/a"))
    answer.resolve()
    assert world.core.hub.subscriptions.count(Pattern.parse("/chat/a")) == 1


def test_a_rate_that_was_raised_is_in_force_at_once() -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/chat/*"\nrate = "1/h"')
    client = enter(world)
    assert client.publish("/chat/a", 1)["successful"]
    world.enforce(rulebook(OPEN + '[[channel]]\nmatch = "/chat/*"\nrate = "100/s"'))
    world.advance(1.1)
    assert client.publish("/chat/a", 2)["successful"]


def test_unsubscribing_does_not_tell_who_else_is_there() -> None:
    world = ruled('[[channel]]\nmatch = "/secret/*"\nsubscribe = "role:spy"')
    spy, stranger = enter(world, "b+spy"), enter(world)
    spy.subscribe("/secret/x")
    replies = [stranger.unsubscribe(name) for name in ("/secret/x", "/secret/y")]
    assert replies[0]["successful"] == replies[1]["successful"]


# --- The audit log ---


def test_denials_are_logged_with_the_rule_and_without_what_was_said(caplog: pytest.LogCaptureFixture) -> None:
    world = ruled('[[channel]]\nmatch = "/a"\nsubscribe = "anyone"\npublish = "role:w"')
    alice = enter(world, "alice smith")
    with caplog.at_level(logging.WARNING, "mirant.audit"):
        alice.publish("/a", "my secret", ext={"token": "my token"})
        alice.subscribe("/b/**")
    session = (alice.client_id or "")[:8]
    assert [record.getMessage() for record in caplog.records] == [
        f'publish.denied address=127.0.0.1 channel=/a session={session} user="alice smith" rule=/a@1',
        f'subscribe.denied address=127.0.0.1 channel=/b/** session={session} user="alice smith" rule=none',
    ]


def test_what_is_too_large_or_too_fast_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = ruled(OPEN + '[[channel]]\nmatch = "/a"\nmax_message = 7\nrate = "1/s"')
    client = enter(world)
    with caplog.at_level(logging.WARNING, "mirant.audit"):
        for data in ("123456", 1, 2):
            client.publish("/a", data)
    assert [record.getMessage().split()[0] for record in caplog.records] == [
        "message.too-large",
        "rate.exceeded",
    ]
    assert re.search(r" rule=/a@\d+$", caplog.records[1].getMessage())


# --- What filters look at is limited though no rule says so ---


def publish_of(size: int, rule: str, channel: str = "/f") -> str | None:
    """Return the error of a publish with *size* bytes of data where *rule* is in force for *channel*."""
    world = ruled(OPEN + f'[[channel]]\nmatch = "{channel}"\n{rule}\n', max_body=10_000_000)
    error: str | None = enter(world).publish(channel, "a" * (size - 2)).get("error")
    return error


def test_a_message_that_filters_look_at_has_64_kib_at_most() -> None:
    assert publish_of(65_536, 'filters = ["no-markup"]') is None
    assert publish_of(65_537, 'filters = ["no-markup"]') == "413:65536:message_too_large"
    assert publish_of(65_537, 'filters = ["no-markup"]', "/service/f") == "413:65536:message_too_large"
    assert publish_of(200_000, "filters = []") is None


def test_a_rule_or_a_filter_that_names_a_size_says_how_large_it_may_be() -> None:
    assert publish_of(200_000, 'max_message = "300KiB"\nfilters = ["no-markup"]') is None
    assert (
        publish_of(10_001, 'max_message = 10_000\nfilters = ["no-markup"]') == "413:10000:message_too_large"
    )
    assert publish_of(100_000, 'filters = ["no-markup", { size = "100KiB" }]') is None
    assert (
        publish_of(200_000, 'filters = ["no-markup", { size = "100KiB" }]') == "413:102400:message_too_large"
    )
