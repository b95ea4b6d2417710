"""The policy file of the demo does what it says, against clients that break the rules."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from mirant import Bus
from mirant.cli import main
from mirant.demo.app import POLICY, create_bus
from mirant.demo.tokens import Issuer
from tests.demo.client import Client, RemoteFailure
from tests.demo.conftest import NOW_MS, Connect
from tests.identity.signing import part, with_secret

MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script> & </ol>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;&lt;script&gt;alert(2)&lt;/script&gt; & &lt;/ol&gt;"

PRIVATE = {"room": "demo", "peer": "Bob", "chat": "psst"}


def refused(reply: dict[str, Any]) -> bool:
    """Whether *reply* says that the rules do not allow it."""
    return not reply["successful"] and reply["error"].startswith("403:denied_by_security_policy:")


def test_the_file_is_in_order(issuer: Issuer) -> None:
    result = CliRunner().invoke(main, ["check", str(POLICY)], env={"MIRANT_TOKEN_SECRET": issuer.secret})
    assert (result.exit_code, result.stderr) == (0, "")


def test_there_is_no_secret_in_the_file() -> None:
    assert not re.search(r"^\s*secret", POLICY.read_text(encoding="utf-8"), re.MULTILINE)
    assert Issuer().secret != Issuer().secret


async def test_the_file_can_be_read_through_the_bus(connect: Connect) -> None:
    assert await (await connect()).call("demo/policy", None) == POLICY.read_text(encoding="utf-8")


async def test_the_file_is_not_among_the_pages(bus: Bus) -> None:
    addresses = [POLICY.name, f"demo/{POLICY.name}", f"../{POLICY.name}", f"%2e%2e/{POLICY.name}"]
    transport = httpx.ASGITransport(app=bus)
    async with httpx.AsyncClient(transport=transport, base_url="http://bus") as http:
        assert (await http.get("/chat.js")).status_code == 200
        assert [(await http.get(f"/{address}")).status_code for address in addresses] == [404] * 4


# --- Markup ---


async def test_markup_in_the_chat_is_escaped_for_every_subscriber(connect: Connect) -> None:
    ann, bob, guest = await connect(), await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    await guest.send("/meta/subscribe", subscription="/chat/*")
    for client in (ann, bob, guest):
        await client.received("/chat/demo")
    assert (await ann.send("/chat/demo", data={"chat": MARKUP}))["successful"]
    for client in (ann, bob, guest):
        assert await client.data("/chat/demo") == [{"user": "Ann", "chat": ESCAPED, "at": NOW_MS}]


async def test_what_json_hides_is_escaped_too(bus: Bus, connect: Connect) -> None:
    ann = await connect()
    await ann.join("Ann")
    await ann.received("/chat/demo")
    hidden = MARKUP.replace("<", "\\u003c").replace(">", "\\u003e")
    await ann.post(
        f'[{{"channel":"/chat/demo","id":"1","clientId":"{ann.id}","data":{{"chat":"{hidden}"}}}}]'
    )
    assert [data["chat"] for data in await ann.data("/chat/demo")] == [ESCAPED]


async def test_nothing_gets_around_the_filter_beside_the_data(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    await bob.received("/chat/demo")
    await ann.send("/chat/demo", data={"chat": "Hello"}, ext={"html": MARKUP}, html=MARKUP, timestamp=MARKUP)
    [message] = await bob.received("/chat/demo")
    assert message["data"]["chat"] == "Hello"
    assert "<" not in str(message)


async def test_what_the_server_publishes_to_an_inbox_is_escaped(bus: Bus, connect: Connect) -> None:
    ann = await connect()
    inbox = await ann.sign_in("Ann")
    bus.publish_nowait(inbox, {"chat": MARKUP})
    assert await ann.data(inbox) == [{"chat": ESCAPED}]


# The last one is of characters that become < and > when a name is normalised.
@pytest.mark.parametrize("name", ["<b>Eve</b>", "\uff1cb\uff1eEve\uff1c/b\uff1e"])
async def test_markup_in_names_is_escaped_wherever_they_are_sent(connect: Connect, name: str) -> None:
    ann, eve = await connect(), await connect()
    await ann.sign_in("Ann")
    assert (await eve.join(name))["name"] == "&lt;b&gt;Eve&lt;/b&gt;"
    inbox = await eve.sign_in(name)
    await eve.send("/chat/demo", data={"chat": "Hello"})
    private = {"room": "demo", "peer": "&lt;b&gt;Eve&lt;/b&gt;", "chat": MARKUP}
    answer = await ann.call("chat/private", private)
    assert answer["chat"] == ESCAPED
    assert await eve.data(inbox) == [answer]
    with pytest.raises(RemoteFailure, match="&lt;b&gt;Eve&lt;/b&gt;”") as failure:
        await ann.call("chat/join", {"room": "demo", "name": name})
    assert "<" not in str(failure.value)
    await eve.disconnect()
    await ann.received("/nothing")
    for channel in ("/chat/demo", "/members/demo"):
        heard = str(await ann.received(channel))
        assert "&lt;b&gt;Eve" in heard
        assert "<" not in heard


async def test_an_entity_that_was_typed_comes_back_as_it_was_typed(connect: Connect) -> None:
    """For those who write & as the demo's pages do."""
    ann = await connect()
    assert (await ann.join("A&amp;lt;B"))["members"] == ["A&amp;lt;B"]
    await ann.received("/chat/demo")
    await ann.send("/chat/demo", data={"chat": "1 < 2 &amp; &amp;lt;"})
    assert [data["chat"] for data in await ann.data("/chat/demo")] == ["1 &lt; 2 &amp; &amp;lt;"]


async def test_a_long_text_may_be_of_angle_brackets(connect: Connect) -> None:
    ann = await connect()
    await ann.join("Ann")
    await ann.received("/chat/demo")
    assert (await ann.send("/chat/demo", data={"chat": "<" * 2_000}))["successful"]
    assert [data["chat"] for data in await ann.data("/chat/demo")] == ["&lt;" * 2_000]


# --- Limits of the chat ---


async def test_a_message_that_is_too_large_is_refused(connect: Connect) -> None:
    ann = await connect()
    await ann.join("Ann")
    assert "message_too_large" in (await ann.send("/chat/demo", data={"chat": "x" * 16_384}))["error"]
    grown = {"chat": "Hello", "more": "<" * 5_000}
    assert "too_large" in (await ann.send("/chat/demo", data=grown))["error"]


async def test_who_speaks_too_fast_is_refused_and_nobody_else(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    # In one body, and so at one time.
    text = {"channel": "/chat/demo", "clientId": ann.id, "data": {"chat": "Hello"}}
    replies = [answer for answer in await ann.post(json.dumps([text] * 12)) if "successful" in answer]
    assert [reply["successful"] for reply in replies] == [True] * 10 + [False] * 2
    assert "rate_exceeded" in replies[-1]["error"]
    assert (await bob.send("/chat/demo", data={"chat": "Hello"}))["successful"]


# --- Private messages ---


async def test_without_a_token_nobody_writes_privately(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    inbox = await bob.sign_in("Bob")
    for channel, data in (("/service/chat/private", PRIVATE), ("/service/chat/renew", None)):
        assert refused(await ann.send(channel, data=data))
    assert await bob.received(inbox) == []


async def test_nobody_reads_the_inbox_of_another(connect: Connect) -> None:
    ann, bob, eve, guest = [await connect() for _ in range(4)]
    await ann.sign_in("Ann")
    inbox = await bob.sign_in("Bob")
    own = await eve.sign_in("Eve")
    user = inbox.removesuffix("/inbox")
    for client in (eve, guest):
        for pattern in (inbox, user, f"{user}/*", f"{user}/**", "/users/*", "/users/**", "/*/**", "/**"):
            reply = await client.send("/meta/subscribe", subscription=pattern)
            assert not reply["successful"], pattern
        # After one that is allowed, in the same message.
        assert not (await client.send("/meta/subscribe", subscription=["/chat/demo", inbox]))["successful"]
    assert refused(await guest.send("/meta/subscribe", subscription=own))
    assert (await eve.send("/meta/subscribe", subscription=["/chat/*", "/chat/**", "/*"]))["successful"]
    await ann.call("chat/private", PRIVATE)
    assert [data["chat"] for data in await bob.data(inbox)] == ["psst"]
    for client in (eve, guest):
        await client.received("/nothing")
        assert "psst" not in str(client.kept)


async def test_clients_publish_neither_private_messages_nor_members(connect: Connect) -> None:
    ann, eve = await connect(), await connect()
    inbox = await ann.sign_in("Ann")
    own = await eve.sign_in("Eve")
    for channel in (inbox, own, "/users/x", "/users/x/y", "/members/demo"):
        assert refused(await eve.send(channel, data={"user": "Bob", "chat": "forged"})), channel
    assert await ann.received(inbox) == []


# --- Tokens ---

Forge = Callable[[str, Issuer], str]


def claims(user: str, **others: object) -> dict[str, object]:
    """Return what the demo's tokens say."""
    return {"sub": user, "exp": int(time.time()) + 60, **others}


FORGED: dict[str, Forge] = {
    "another secret": lambda user, issuer: with_secret(claims(user), secret="x" * 64),
    "no signature": lambda user, issuer: f"{part({'alg': 'none'})}.{part(claims(user))}.",
    "another user's signature": lambda user, issuer: swap(issuer.issue("eve"), claims(user)),
    "it has run out": lambda user, issuer: with_secret(claims(user, exp=1), secret=issuer.secret),
    "it never runs out": lambda user, issuer: with_secret({"sub": user}, secret=issuer.secret),
    "not yet valid": lambda user, issuer: with_secret(
        claims(user, nbf=int(time.time()) + 3_600), secret=issuer.secret
    ),
    "another demo's": lambda user, issuer: Issuer().issue(user),
    "no token": lambda user, issuer: user,
}


def swap(token: str, payload: object) -> str:
    """Put *payload* into *token*, and leave its signature."""
    header, _, signature = token.split(".")
    return f"{header}.{part(payload)}.{signature}"


@pytest.fixture(params=FORGED)
def forge(request: pytest.FixtureRequest, issuer: Issuer) -> Callable[[str], str]:
    """Make a token for a user, in each invalid way."""
    return lambda user: FORGED[request.param](user, issuer)


async def test_a_forged_token_does_not_handshake(
    bus: Bus, connect: Connect, forge: Callable[[str], str]
) -> None:
    bob = await connect()
    user = (await bob.sign_in("Bob")).split("/")[2]
    eve = Client(bus)
    reply = await eve.send("/meta/handshake", **eve.offer, ext={"token": forge(user)})
    assert not reply["successful"]
    assert "clientId" not in reply
    await eve.close()


async def test_a_forged_token_does_not_sign_in(connect: Connect, forge: Callable[[str], str]) -> None:
    ann, bob, eve = await connect(), await connect(), await connect()
    await ann.sign_in("Ann")
    inbox = await bob.sign_in("Bob")
    token = forge(inbox.split("/")[2])
    assert not (await eve.connect(ext={"token": token}))["successful"]
    assert refused(await eve.send("/meta/subscribe", subscription=inbox))
    assert refused(await eve.send("/service/chat/private", data=PRIVATE))
    with pytest.raises(RemoteFailure, match="name_taken"):
        await eve.join("Bob", token=token)
    await ann.call("chat/private", PRIVATE)
    assert len(await bob.received(inbox)) == 1


async def test_who_is_signed_in_becomes_nobody_else(connect: Connect, issuer: Issuer) -> None:
    eve = await connect()
    inbox = await eve.sign_in("Eve")
    other = issuer.new_user()
    assert not (await eve.connect(ext={"token": issuer.issue(other)}))["successful"]
    assert refused(await eve.send("/meta/subscribe", subscription=f"/users/{other}/inbox"))
    assert (await eve.send("/meta/subscribe", subscription=inbox))["successful"]


async def test_who_is_signed_in_gets_the_next_token(connect: Connect, issuer: Issuer) -> None:
    ann = await connect()
    user = (await ann.sign_in("Ann")).split("/")[2]
    grant = await ann.call("chat/renew", None)
    assert issuer.user_of(grant["token"]) == user
    assert grant["lifetime"] == issuer.lifetime * 1000
    assert (await ann.connect(ext={"token": grant["token"]}))["successful"]


async def test_a_token_handshakes_as_well(bus: Bus, connect: Connect, issuer: Issuer) -> None:
    ann, again = await connect(), Client(bus)
    inbox = await ann.sign_in("Ann")
    await again.handshake(ext={"token": issuer.issue(inbox.split("/")[2])})
    assert (await again.send("/meta/subscribe", subscription=inbox))["successful"]
    await again.close()


# --- Everything else ---


@pytest.mark.parametrize("channel", ["/news", "/chat", "/chat/a/b", "/members", "/user/x/inbox", "/a/b/c/d"])
async def test_channels_that_the_demo_does_not_use_are_open(connect: Connect, channel: str) -> None:
    ann, bob = await connect(), await connect()
    assert (await ann.send("/meta/subscribe", subscription=channel))["successful"]
    assert (await bob.send(channel, data={"html": MARKUP}, more=[1]))["successful"]
    [message] = await ann.received(channel)
    assert (message["data"], message["more"]) == ({"html": MARKUP}, [1])


async def test_services_that_the_demo_does_not_have_may_be_called(connect: Connect) -> None:
    ann = await connect()
    assert (await ann.send("/service/anything", data=1))["successful"]
    assert (await ann.send("/meta/subscribe", subscription="/service/anything"))["successful"]


async def test_all_transports_are_offered(bus: Bus) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=bus), base_url="http://bus") as http:
        [reply] = (await http.post("/", json=[{"channel": "/meta/handshake", **Client(bus).offer}])).json()
    assert reply["supportedConnectionTypes"] == [
        "websocket",
        "eventsource",
        "long-polling",
        "cross-origin-long-polling",
        "callback-polling",
    ]


async def test_the_environment_of_the_process_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRANT_TOKEN_SECRET", "too short")
    bus = create_bus()
    assert not bus.is_open
    await bus.close()
