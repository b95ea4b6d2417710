"""Callback-polling: messages in the query of a GET, answers as a call in a script."""

import asyncio
import json
from urllib.parse import quote

import pytest

from mirant import Bus, Settings
from tests.hosts.clients import Fields, Poller

OFFERED = Settings(transports=("long-polling", "callback-polling"), timeout=5)
HANDSHAKE = '[{"channel":"/meta/handshake","id":"1"}]'


def query(callback: str, *messages: str) -> str:
    """Return a query with *messages* that wants *callback* called."""
    return f"?jsonp={quote(callback)}" + "".join(f"&message={quote(message)}" for message in messages)


async def ask(client: Poller, *messages: Fields) -> list[Fields]:
    """Send *messages* in a query and return those in the script."""
    text = json.dumps([{"clientId": client.id, **message} for message in messages])
    response = await client.http.get(query("f", text))
    assert response.status_code == 200, response.text
    answer: list[Fields] = json.loads(response.text.removeprefix("/**/f(").removesuffix(");"))
    return answer


@pytest.mark.parametrize(
    "callback",
    ["f", "_cometd_jsonp_1", "dojo.io.script.jsonp_dojoIoScript1._jsonpCallback", "__jsonp1__", "$"],
)
async def test_the_answer_is_a_call(callback: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(query(callback, HANDSHAKE))

        assert response.status_code == 200
        assert response.headers["content-type"] == "text/javascript;charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.text.startswith(f'/**/{callback}([{{"channel":"/meta/handshake"')
        assert response.text.endswith("]);")


@pytest.mark.parametrize("callback", ["alert(1)", "a b", "<x>", "", "é", "x" * 129, "a\n", "-x;"])
async def test_a_callback_that_is_no_name_is_not_called(callback: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(query(callback, HANDSHAKE))

        assert "javascript" not in response.headers["content-type"]
        assert '"channel"' not in response.text


async def test_messages_in_several_parameters() -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        await client.begin()
        one, two = (json.dumps({"channel": "/a", "id": n, "data": 1, "clientId": client.id}) for n in "12")
        response = await client.http.get(query("f", one, f"[{two}]"))

        assert [m["id"] for m in json.loads(response.text[6:-2])] == ["1", "2"]


@pytest.mark.parametrize(
    "text", ["", "?jsonp=f", "?jsonp=f&message=", "?jsonp=f&message=%ff", "?jsonp=f&message=[]"]
)
async def test_a_query_without_messages(text: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(f"/connect{text}")

        assert response.status_code == (400 if text else 404)


async def test_it_is_off_unless_asked_for() -> None:
    async with Poller.inside(Bus()) as client:
        response = await client.http.get(query("f", HANDSHAKE))

        assert response.status_code == 403
        assert "callback-polling" in response.text


async def test_another_sites_script_tag_is_refused() -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(query("f", HANDSHAKE), headers={"sec-fetch-site": "cross-site"})

        assert response.status_code == 403


async def test_a_poll_is_held_and_brings_what_is_published() -> None:
    bus = Bus(settings=OFFERED)
    async with Poller.inside(bus) as client:
        response = await client.http.get(query("f", HANDSHAKE))
        client.id = json.loads(response.text[6:-2])[0]["clientId"]
        await ask(client, {"channel": "/meta/connect", "connectionType": "callback-polling"})
        await ask(client, {"channel": "/meta/subscribe", "subscription": "/a"})
        poll = asyncio.create_task(
            ask(client, {"channel": "/meta/connect", "connectionType": "callback-polling"})
        )
        session = bus.session(client.id or "")
        assert session is not None
        while session.held is None:
            await asyncio.sleep(0)
        published = await ask(client, {"channel": "/a", "data": "\u2028"})

        assert len(published) == 1  # deliveries ride on answers to connects only
        assert [message.get("data") for message in await poll] == ["\u2028", None]


async def test_line_ends_of_old_javascript_are_escaped() -> None:
    bus = Bus(settings=OFFERED)
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        await bus.publish("/a", "\u2028\u2029")
        text = json.dumps({"channel": "/meta/connect", "clientId": client.id})
        response = await client.http.get(query("f", text))

        assert "\u2028" not in response.text
        assert '"\\u2028\\u2029"' in response.text
