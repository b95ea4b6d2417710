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
    "text", ["", "?jsonp=f", "?jsonp=f&message=", "?jsonp=f&message=%ff", "?jsonp=f&message=[["]
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
        session = bus.loop.core.sessions.get(client.id or "")
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


async def begin(client: Poller, *, ext: Fields | None = None) -> Fields:
    """Handshake and connect once by scripts; return the handshake's reply."""
    text = json.dumps({"channel": "/meta/handshake", "ext": ext or {}})
    response = await client.http.get(query("f", text))
    reply: Fields = json.loads(response.text[6:-2])[0]
    client.id = reply["clientId"]
    await ask(client, {"channel": "/meta/connect", "ext": {"ack": 0}})
    return reply


async def held(client: Poller, bus: Bus, **fields: object) -> asyncio.Task[list[Fields]]:
    """Send a connect that is held."""
    poll = asyncio.create_task(ask(client, {"channel": "/meta/connect", **fields}))
    session = bus.loop.core.sessions.get(client.id or "")
    assert session is not None
    before = session.held
    while session.held is None or session.held is before:
        await asyncio.sleep(0)
    return poll


async def test_a_handshake_gives_the_cookie_and_the_session_is_bound_to_it() -> None:
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client, Poller.inside(bus) as thief:
        await begin(client)
        assert "BAYEUX_BROWSER" in client.http.cookies
        await begin(thief)
        thief.id = client.id
        [reply] = await ask(thief, {"channel": "/meta/connect"})

        assert reply["error"] == "402::session_unknown"


async def test_a_poll_ends_at_its_timeout() -> None:
    async with Poller.inside(
        bus := Bus(settings=Settings(transports=OFFERED.transports, timeout=0.1))
    ) as client:
        await begin(client)
        [reply] = await (await held(client, bus))

        assert reply["successful"]


async def test_the_poll_that_is_superseded_is_a_script_too() -> None:
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client:
        await begin(client)
        first = await held(client, bus)
        second = await held(client, bus)
        await ask(client, {"channel": "/meta/disconnect"})

        assert (await first)[0]["error"] == "409::connect_superseded"
        assert (await second)[0]["advice"] == {"reconnect": "none"}


async def test_what_a_client_publishes_releases_its_own_poll() -> None:
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client:
        await begin(client)
        await ask(client, {"channel": "/meta/subscribe", "subscription": "/a"})
        poll = await held(client, bus)
        answer = await ask(client, {"channel": "/a", "data": 1}, {"channel": "/a", "data": 2})

        assert [message.get("data") for message in answer] == [None, None]
        arrived = [message.get("data") for message in await poll]
        arrived += [
            m["data"]
            for m in await ask(client, {"channel": "/meta/connect", "advice": {"timeout": 0}})
            if "data" in m
        ]
        assert [data for data in arrived if data] == [1, 2]


async def test_with_ack_what_was_lost_is_sent_again() -> None:
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client:
        assert (await begin(client, ext={"ack": True}))["ext"] == {"ack": True}
        await ask(client, {"channel": "/meta/subscribe", "subscription": "/a"})
        await bus.publish("/a", 1)
        lost = await ask(client, {"channel": "/meta/connect", "ext": {"ack": 1}})
        again = await ask(client, {"channel": "/meta/connect", "ext": {"ack": 1}})

        assert [message.get("data") for message in lost] == [1, None]
        assert [message.get("data") for message in again] == [1, None]


async def test_text_that_is_not_percent_encoded_arrives_as_it_was_sent() -> None:
    """Browsers encode it; other clients may not."""
    events: list[dict[str, object]] = []
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client:
        await client.begin()
        await client.subscribe("/a")

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b""}

        async def send(event: object) -> None:
            events.append(dict(event))  # type: ignore[call-overload]  # an event is a mapping

        text = json.dumps({"channel": "/a", "data": "é", "clientId": client.id}, ensure_ascii=False)
        cookie = "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": f"jsonp=f&message={text}".replace(" ", "").encode(),
            "headers": [(b"cookie", cookie.encode())],
        }
        await bus(scope, receive, send)
        arrived = [message["data"] for message in await client.connect() if "data" in message]

        assert events[0]["status"] == 200
        assert arrived == ["é"]


@pytest.mark.parametrize("text", ["?jsonp=f&jsonp=g", "?jsonp=(", "?jsonp="])
async def test_a_query_that_names_no_one_function_is_for_pages(text: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(f"{text}&message={quote(HANDSHAKE)}")

        assert response.headers["content-type"].startswith("text/html")
        assert "set-cookie" not in response.headers


async def test_too_many_parameters_are_refused() -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get("?jsonp=f" + "&message={}" * 200)

        assert response.status_code == 400


async def test_a_head_processes_nothing() -> None:
    bus = Bus(settings=OFFERED)
    async with Poller.inside(bus) as client:
        await client.http.head(query("f", HANDSHAKE))

        assert bus.sessions == 0


async def test_a_window_of_a_browser_that_polls_already_is_told() -> None:
    async with Poller.inside(bus := Bus(settings=OFFERED)) as client:
        await begin(client)
        first = client.id
        poll = await held(client, bus)
        await begin(client)
        [reply] = await ask(client, {"channel": "/meta/connect"})

        assert reply["advice"]["multiple-clients"] is True
        client.id = first
        await ask(client, {"channel": "/meta/disconnect"})
        await poll


@pytest.mark.parametrize("query", ["?", "?callback=f&", "?JSONP=f&"])
async def test_without_a_name_the_function_is_called_jsonpcallback(query: str) -> None:
    """Bayeux 1.0, section 6.3.1."""
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(f"{query}message={quote(HANDSHAKE)}")

        assert response.text.startswith("/**/jsonpcallback([")


@pytest.mark.parametrize("blank", ["%20", "+", "%09", "%0A", "%0d%0a"])
async def test_messages_may_have_blanks_before_them(blank: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(f"?message={blank}{quote(HANDSHAKE)}")

        assert response.text.startswith("/**/jsonpcallback([")


@pytest.mark.parametrize("query", ["?message=hello", "?message=", "?message=%5", "?messages=[]", "?m=[{}]"])
async def test_a_page_may_have_a_parameter_called_message(query: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(query)

        assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("text", ["[]", "[{}]", "nonsense", "[" + ",".join(["{}"] * 2_000) + "]"])
async def test_no_cache_keeps_an_answer(text: str) -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get(f"?jsonp=f&message={quote(text)}")

        assert response.headers.get_list("cache-control") == ["no-store"]


async def test_an_empty_array_is_answered_with_one() -> None:
    async with Poller.inside(Bus(settings=OFFERED)) as client:
        response = await client.http.get("?jsonp=f&message=[]")

        assert (response.status_code, response.text) == (200, "/**/f([]);")
