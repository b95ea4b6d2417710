"""What must hold of a Bayeux server, one function each; they fail with AssertionError or TimeoutError."""

import asyncio
import math
import string
from contextlib import AsyncExitStack
from typing import Any

from tests.conformance.party import Party, Poller, party

META = ("/meta/handshake", "/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect")


class Bench:
    """A server, and the clients that a check opens at it over one transport."""

    def __init__(self, url: str, transport: str, stack: AsyncExitStack) -> None:
        self.url = url
        self.transport = transport
        self._stack = stack

    async def party(self, browser: Any = None) -> Party:
        """Open a client."""
        return await self._stack.enter_async_context(party(self.url, self.transport, browser))

    async def enter(self, *patterns: str) -> Party:
        """Open a client that has shaken hands, subscribed to *patterns* and keeps connected."""
        one = await self.party()
        await one.enter(*patterns)
        return one


# --- Operation ---


async def two_requests_suffice(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    held = await one.connect_and_hold()
    assert (await one.say("/a", data=1))["successful"]
    assert not held.done()


async def the_semantics_are_the_same(bench: Bench) -> None:
    one, other = await bench.enter("/a"), await bench.enter()
    assert (await other.say("/a", data={"x": [1, None]}))["successful"]
    assert (await one.event("/a"))["data"] == {"x": [1, None]}


async def long_polling_is_supported(bench: Bench) -> None:
    reply = await (await bench.party()).handshake()
    assert "long-polling" in reply["supportedConnectionTypes"]


async def callback_polling_is_supported(bench: Bench) -> None:
    reply = await (await bench.party()).handshake(
        supportedConnectionTypes=["callback-polling", bench.transport]
    )
    assert "callback-polling" in reply["supportedConnectionTypes"]


async def unconnected_messages_are_answered(bench: Bench) -> None:
    stranger = await bench.party()
    for channel in ("/a", "/meta/subscribe", "/meta/connect"):
        reply = await stranger.say(channel, data=1, subscription="/a", connectionType=bench.transport)
        assert isinstance(reply["successful"], bool)


# --- Channels ---


async def meta_messages_are_not_distributed(bench: Bench) -> None:
    watcher = await bench.enter("/**", "/fence/watcher")
    before = len(watcher.inbox)
    other = await bench.enter("/b")
    await other.say("/meta/unsubscribe", subscription="/b")
    await other.say("/meta/nothing", data=1)
    await other.say("/fence/watcher", data=1)
    await watcher.event("/fence/watcher")
    ours = {"/meta/connect"}
    assert not [
        m for m in watcher.inbox[before:] if m["channel"].startswith("/meta/") and m["channel"] not in ours
    ]


async def meta_channels_cannot_be_subscribed_to(bench: Bench) -> None:
    one = await bench.enter()
    for name in ("/meta/connect", "/meta/*", "/meta/**"):
        assert not (await one.say("/meta/subscribe", subscription=name))["successful"]


async def meta_replies_have_the_id_of_the_request(bench: Bench) -> None:
    # A reply without the id, or with another, would never be found.
    one = await bench.party()
    await one.handshake()
    for channel in META[1:]:
        reply = await one.say(
            channel, subscription="/a", connectionType=bench.transport, advice={"timeout": 0}
        )
        assert reply["channel"] == channel


async def service_messages_are_not_distributed(bench: Bench) -> None:
    watcher = await bench.enter("/fence/watcher")
    for name in ("/service/x", "/**"):
        await watcher.say("/meta/subscribe", subscription=name)
    other = await bench.enter()
    await other.say("/service/x", data=1)
    await other.say("/fence/watcher", data=1)
    await watcher.event("/fence/watcher")
    assert not watcher.events("/service/x")


async def service_replies_have_the_id_of_the_request(bench: Bench) -> None:
    one = await bench.enter()
    assert (await one.say("/service/x", data=1))["channel"] == "/service/x"


# --- Clients and messages ---


async def client_ids_are_random(bench: Bench) -> None:
    one = await bench.party()
    ids = [(await one.handshake())["clientId"] for _ in range(40)]
    letters = set("".join(ids))
    alphabet = 16 if letters <= set(string.hexdigits.lower()) else 36
    assert min(map(len, ids)) * math.log2(alphabet) >= 128
    # Nothing stays where it is from one id to the next.
    assert all(len({each[place] for each in ids}) > 4 for place in range(min(map(len, ids)) - 1))


async def client_ids_are_unique(bench: Bench) -> None:
    one = await bench.party()
    ids = []
    for _ in range(30):
        ids.append((await one.handshake())["clientId"])
        await one.say("/meta/disconnect")
        one.client_id = None
    assert len(set(ids)) == len(ids)


async def a_message_without_channel_is_refused(bench: Bench) -> None:
    one = await bench.enter()
    message = one.message("/a", data=1)
    del message["channel"]
    if bench.transport == "websocket":
        one.run(one.post([message]))
    else:
        await one.post([message])
    await one.fence()
    assert not [m for m in one.inbox if m.get("id") == message["id"] and m.get("successful")]


async def every_message_has_a_channel(bench: Bench) -> None:
    one = await bench.enter("/a")
    await one.say("/a", data=1)
    await one.event("/a")
    await one.say("/meta/disconnect")
    assert all(isinstance(m["channel"], str) for m in one.inbox)


async def arrays_of_messages_are_accepted(bench: Bench) -> None:
    one = await bench.enter()
    replies = await one.send(one.message("/a", data=1), one.message("/b", data=2))
    assert [reply["successful"] for reply in replies] == [True, True]


async def what_is_sent_is_an_array(bench: Bench) -> None:
    # `Party.take` insists on it for whatever comes.
    one = await bench.enter("/a")
    await one.say("/a", data=1)
    await one.event("/a")


async def messages_without_client_id_are_refused(bench: Bench) -> None:
    stranger = await bench.party()
    for channel in META[1:]:
        reply = await stranger.say(channel, subscription="/a", connectionType=bench.transport)
        assert reply["successful"] is False


async def timeout_advice_of_clients_is_honoured(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    await one.connect()
    await asyncio.wait_for(one.connect(advice={"timeout": 0}), 0.5)  # half of what it would be held


async def replies_say_whether_they_were_successful(bench: Bench) -> None:
    one = await bench.party()
    replies = [await one.handshake()]
    for channel in META[1:4]:
        replies.append(await one.say(channel, subscription="/a", connectionType=bench.transport))
    replies.append(await one.say("/a", data=1))
    replies.append(await one.say("/meta/disconnect"))
    assert [reply["successful"] for reply in replies] == [True] * 6


async def subscription_replies_name_the_subscription(bench: Bench) -> None:
    one = await bench.enter()
    for channel in ("/meta/subscribe", "/meta/unsubscribe"):
        for what in ("/a", ["/a", "/b"]):
            assert (await one.say(channel, subscription=what))["subscription"] == what
    assert (await one.say("/meta/subscribe", subscription="/meta/x"))["subscription"] == "/meta/x"


async def deprecated_fields_are_not_used(bench: Bench) -> None:
    one = await bench.enter("/a")
    await one.say("/a", data=1)
    await one.event("/a")
    assert not [m for m in one.inbox if "connectionId" in m or "json-comment-filtered" in m.get("ext", {})]


# --- Handshake ---


async def a_handshake_has_the_fields(bench: Bench) -> None:
    reply = await (await bench.party()).handshake()
    assert reply["channel"] == "/meta/handshake"
    assert reply["successful"] is True
    assert isinstance(reply["clientId"], str)
    assert isinstance(reply["supportedConnectionTypes"], list)


async def a_handshake_names_the_version(bench: Bench) -> None:
    assert (await (await bench.party()).handshake())["version"][0].isdigit()


async def a_failed_handshake_has_the_fields(bench: Bench) -> None:
    reply = await (await bench.party()).handshake(ext={"stranger": True})
    assert reply["channel"] == "/meta/handshake"
    assert reply["successful"] is False
    assert isinstance(reply["error"], str)
    assert "clientId" not in reply


async def company_of_a_handshake_is_ignored(bench: Bench) -> None:
    watcher = await bench.enter("/a", "/fence/watcher")
    one = await bench.party()
    message = {"version": "1.0", "supportedConnectionTypes": [bench.transport]}
    handshake = one.message("/meta/handshake", **message)
    one.run(one.post([handshake, one.message("/a", data="with it")]))
    assert (await one.reply(handshake))["successful"]
    other = await bench.enter()
    await other.say("/fence/watcher", data=1)
    await watcher.event("/fence/watcher")
    assert not watcher.events("/a")


async def there_is_a_connection_type_in_common(bench: Bench) -> None:
    reply = await (await bench.party()).handshake()
    assert bench.transport in reply["supportedConnectionTypes"]


async def without_a_common_type_the_handshake_fails(bench: Bench) -> None:
    assert not (await (await bench.party()).handshake(supportedConnectionTypes=["pigeon"]))["successful"]


# --- Connect, disconnect ---


async def connects_are_answered(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    for _ in range(2):
        reply = await one.connect()
        assert (reply["channel"], reply["successful"]) == ("/meta/connect", True)


async def one_connect_is_outstanding(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    first = await one.connect_and_hold()
    second = one.connect()
    await one.fence()
    await asyncio.wait_for(first, 0.5)  # less than it would have been held
    assert not second.done()


async def silence_ends_a_session(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    await one.connect(advice={"timeout": 0})
    other = await bench.party()
    # Asked by another client, and seldom: each question keeps the session alive if it still is.
    for _ in range(3):
        await asyncio.sleep(2.6)  # the subject: how long a session lives in silence
        question = other.message("/meta/subscribe", subscription="/a", clientId=one.client_id)
        if not (await other.send(question))[0]["successful"]:
            return
    raise AssertionError("the session lives on")


async def disconnect_releases_the_held_connect(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    held = await one.connect_and_hold()
    assert (await one.say("/meta/disconnect"))["successful"]
    await asyncio.wait_for(held, 0.5)  # less than it would have been held


async def disconnects_are_answered(bench: Bench) -> None:
    one = await bench.enter()
    reply = await one.say("/meta/disconnect")
    assert (reply["channel"], reply["successful"]) == ("/meta/disconnect", True)


# --- Subscribe, publish, deliver ---


async def subscribes_are_answered(bench: Bench) -> None:
    reply = await (await bench.enter()).say("/meta/subscribe", subscription="/a")
    assert (reply["channel"], reply["successful"], reply["subscription"]) == ("/meta/subscribe", True, "/a")


async def unsubscribes_are_answered(bench: Bench) -> None:
    reply = await (await bench.enter("/a")).say("/meta/unsubscribe", subscription="/a")
    assert (reply["channel"], reply["successful"], reply["subscription"]) == ("/meta/unsubscribe", True, "/a")


async def publish_replies_have_the_fields(bench: Bench) -> None:
    reply = await (await bench.enter()).say("/a", data=1)
    assert (reply["channel"], reply["successful"]) == ("/a", True)


async def events_reach_the_subscribers(bench: Bench) -> None:
    subscribers = [await bench.enter(pattern) for pattern in ("/a/b", "/a/*", "/a/**", "/**")]
    other = await bench.enter("/a/c")
    await (await bench.enter()).say("/a/b", data=1)
    for one in subscribers:
        assert (await one.event("/a/b"))["data"] == 1
    await other.say("/a/c", data=2)
    await other.event("/a/c")
    assert not other.events("/a/b")


async def events_have_channel_and_data(bench: Bench) -> None:
    one = await bench.enter("/a/*")
    values: list[object] = [None, 0, "", {}, [], {"x": [True]}]
    for number, data in enumerate(values):
        channel = f"/a/{number}"
        assert (await one.say(channel, data=data))["successful"]
        event = await one.event(channel)
        assert (event["channel"], event["data"]) == (channel, data)


async def events_prefer_the_answer_that_is_sent_at_once(bench: Bench) -> None:
    one = await bench.party()
    await one.handshake()
    await one.say("/meta/subscribe", subscription="/a")
    held = await one.connect_and_hold()
    await one.say("/a", data=1)
    assert one.events("/a")
    woken, _ = await asyncio.wait({held}, timeout=0.3)  # a server that wakes it does so within this
    assert not woken


# --- Transports ---


async def requests_are_json_in_utf8(bench: Bench) -> None:
    one = await bench.enter("/a")
    await one.say("/a", data="é€😀")
    assert (await one.event("/a"))["data"] == "é€😀"


async def responses_are_json_in_utf8(bench: Bench) -> None:
    one = await bench.party()
    assert isinstance(one, Poller)
    await one.handshake()
    kind = one.responses[-1].headers["content-type"].replace(" ", "").lower()
    assert kind in ("application/json", "application/json;charset=utf-8")


async def browsers_are_told_apart_by_a_cookie(bench: Bench) -> None:
    one = await bench.party()
    assert isinstance(one, Poller)
    await one.handshake()
    assert "BAYEUX_BROWSER" in one.http.cookies


async def a_second_window_is_not_held(bench: Bench) -> None:
    one = await bench.party()
    assert isinstance(one, Poller)
    await one.handshake()
    await one.connect_and_hold()
    other = await bench.party(one.http.cookies)
    await other.handshake()
    await other.connect(advice={"timeout": 0})
    reply = await asyncio.wait_for(other.connect(), 0.5)
    assert reply["advice"]["interval"] > 0
