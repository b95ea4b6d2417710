"""Plain HTTP requests to a bus: methods, paths, pages, bodies and content types."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from mirant import Bus, Settings
from mirant.hosts.server import Elsewhere
from tests.hosts.clients import Poller
from tests.hosts.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANDSHAKE = '[{"channel":"/meta/handshake","id":"1"}]'
LIMIT = 1024 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    """Serve a bus with the defaults at /cometd."""
    bus = Bus(settings=Settings(max_body=LIMIT))
    async with serving(bus, bus.mount(Elsewhere("/cometd"))) as origin:
        yield f"{origin}/cometd"


@pytest_asyncio.fixture(loop_scope="module")
async def client(url: str) -> AsyncIterator[Poller]:
    """Open a client of the bus."""
    async with Poller.at(url) as client:
        yield client


@pytest.mark.parametrize("path", ["", "/", "/handshake", "/connect", "/a/b?c=d", "/%C3%A9", "/index.html"])
async def test_messages_are_taken_at_any_path(client: Poller, path: str) -> None:
    client.url += path
    response = await client.post(HANDSHAKE)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    [reply] = response.json()
    assert reply["successful"]


async def test_a_page_for_browsers(client: Poller) -> None:
    for path in ("", "/"):
        response = await client.http.get(client.url + path)

        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html;charset=utf-8"
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "{{base}}" not in response.text
        assert "/cometd" in response.text


async def test_a_page_that_did_not_change_is_not_sent_again(client: Poller) -> None:
    page = await client.http.get(client.url)
    again = await client.http.get(client.url, headers={"if-none-match": page.headers["etag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == page.headers["etag"]


async def test_a_head_has_no_body(client: Poller) -> None:
    page = await client.http.get(client.url)
    head = await client.http.head(client.url)

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(page.content))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_page_that_is_not_there(client: Poller, method: str) -> None:
    response = await client.http.request(method, client.url + "/nothing")

    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/plain")
    if method == "GET":
        assert "/nothing" in response.text
        assert "/cometd" in response.text
        assert "POST" in response.text


async def test_options_say_what_there_is(client: Poller) -> None:
    response = await client.http.options(client.url)

    assert response.status_code == 204
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert response.content == b""


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "PROPFIND"])
async def test_other_methods(client: Poller, method: str) -> None:
    response = await client.http.request(method, client.url, content=HANDSHAKE)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert response.text == "Send Bayeux messages by POST.\n"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "1",
        '"text"',
        "[1]",
        "[[]]",
        "[null]",
        "{",
        "[{}",
        '[{"channel":}]',
        "\x00",
        "[{}]garbage",
    ],
)
async def test_a_body_that_is_not_bayeux(client: Poller, body: str) -> None:
    response = await client.post(body)

    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")
    assert response.text.startswith("This is not a Bayeux message: ")


async def test_a_body_that_is_not_utf8(client: Poller) -> None:
    response = await client.post(b'[{"channel":"/\xff"}]')

    assert response.status_code == 400
    assert "UTF-8" in response.text


async def test_a_body_nested_too_deep(client: Poller) -> None:
    response = await client.post('[{"channel":"/a","data":' + "[" * 50_000 + "]" * 50_000 + "}]")

    assert response.status_code == 400
    assert "deeper than 100" in response.text


async def test_a_body_over_the_limit(client: Poller) -> None:
    response = await client.post(b" " * (LIMIT + 1))

    assert response.status_code == 413
    assert str(LIMIT) in response.text


async def test_a_body_at_the_limit(client: Poller) -> None:
    response = await client.post(HANDSHAKE.ljust(LIMIT))

    assert response.status_code == 200


async def test_too_many_messages(client: Poller) -> None:
    response = await client.post(json.dumps([{"channel": "/a"}] * 1001))

    assert response.status_code == 413
    assert "1000" in response.text


async def test_a_body_over_the_limit_in_chunks(client: Poller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // 65536 + 1):
            yield b" " * 65536

    response = await client.http.post(client.url, content=chunks())

    assert response.status_code == 413


async def test_a_body_in_chunks(client: Poller) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for character in HANDSHAKE:
            yield character.encode()

    response = await client.http.post(client.url, content=chunks())

    assert response.json()[0]["successful"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json; Charset=UTF-8",
        "text/json;charset=UTF-8",
        "text/plain",
        "text/plain;charset=utf8",
        "application/octet-stream",
        "multipart/form-data",
        "nonsense",
        ";;;=",
        "application/json; charset=",
        "application/json; charset*=utf-8''utf-8",
    ],
)
async def test_content_types_in_the_wild(client: Poller, content_type: str | None) -> None:
    request = client.http.build_request("POST", client.url, content=HANDSHAKE)
    if content_type is not None:
        request.headers["content-type"] = content_type
    response = await client.http.send(request)

    assert response.status_code == 200
    assert response.json()[0]["successful"]


@pytest.mark.parametrize("charset", ["iso-8859-1", "ISO-8859-1", "utf-16", "utf-16le", "utf-16be"])
async def test_charsets(client: Poller, charset: str) -> None:
    body = '[{"channel":"/meta/handshake","id":"é"}]'.encode(charset)
    response = await client.post(body, **{"content-type": f"application/json;charset={charset}"})

    assert response.json()[0]["id"] == "é"


@pytest.mark.parametrize("charset", ["utf-7", "koi8-r", "zip", "base64", "idna", "../x", "rot13"])
async def test_charsets_that_are_not_read(client: Poller, charset: str) -> None:
    response = await client.post(HANDSHAKE, **{"content-type": f"application/json;charset={charset}"})

    assert response.status_code == 415
    assert charset in response.text
    assert "UTF-8" in response.text


async def test_a_body_that_is_not_in_its_charset(client: Poller) -> None:
    response = await client.post(b"[{}]\xff", **{"content-type": "text/json;charset=utf-16"})

    assert response.status_code == 400


async def test_a_form_as_dojo_sends_it(client: Poller) -> None:
    response = await client.post(
        f"message={quote(HANDSHAKE)}", **{"content-type": "application/x-www-form-urlencoded"}
    )

    assert response.json()[0]["successful"]


async def test_a_form_as_faye_sends_it_across_origins(client: Poller) -> None:
    response = await client.post(
        f"message={quote(HANDSHAKE)}", **{"content-type": "text/plain;charset=UTF-8"}
    )

    assert response.json()[0]["successful"]


@pytest.mark.parametrize("form", ["message=", "message", "message=%ff", "message=[&message=]", "other=1"])
async def test_a_form_without_messages(client: Poller, form: str) -> None:
    response = await client.post(form, **{"content-type": "application/x-www-form-urlencoded"})

    assert response.status_code == 400


async def test_a_single_message_is_answered_by_an_array(client: Poller) -> None:
    response = await client.post('{"channel":"/meta/handshake"}')

    assert [reply["successful"] for reply in response.json()] == [True]


@pytest.mark.parametrize(
    "text", ["grüße", "日本語", "👩‍👩‍👧‍👦", "\u2028\u2029", "\ufeff", "a\u0000b", '"\\/', "\U0010ffff"]
)
async def test_text_beyond_ascii(client: Poller, text: str) -> None:
    await client.begin()
    await client.subscribe("/text")
    event, reply = await client.send({"channel": "/text", "data": {text: text}})

    assert event["data"] == {text: text}
    assert reply["successful"]


async def test_a_large_message_both_ways(client: Poller) -> None:
    text = "é" * 450_000
    await client.begin()
    await client.subscribe("/large")
    body = json.dumps([{"channel": "/large", "data": text, "clientId": client.id}], ensure_ascii=False)
    response = await client.post(body.encode())
    event, reply = response.json()

    assert len(body.encode()) > 900_000
    assert event["data"] == text
    assert reply["successful"]


@pytest.mark.parametrize("origin", ["http://[", "null", "file://", "é", "http://evil.example", "//"])
async def test_strange_origins_are_refused(client: Poller, origin: str) -> None:
    response = await client.http.post(
        client.url, content=HANDSHAKE, headers={b"origin": origin.encode("latin-1")}
    )

    assert response.status_code == 403


@pytest.mark.parametrize(
    "cookie", ["BAYEUX_BROWSER=planted", "=;;=;", 'x="', "BAYEUX_BROWSER", "BAYEUX_BROWSER=" + "0" * 56]
)
async def test_a_cookie_that_is_none_of_ours_is_replaced(client: Poller, cookie: str) -> None:
    response = await client.post(HANDSHAKE, cookie=cookie)

    assert response.json()[0]["successful"]
    assert response.cookies["BAYEUX_BROWSER"] not in cookie
    assert "HttpOnly" in response.headers["set-cookie"]


async def test_a_cookie_of_ours_is_kept(client: Poller) -> None:
    first = await client.post(HANDSHAKE)
    second = await client.post(HANDSHAKE)

    assert "set-cookie" in first.headers
    assert "set-cookie" not in second.headers


async def test_a_session_of_another_browser_is_unknown(client: Poller, url: str) -> None:
    await client.begin()
    async with Poller.at(url) as thief:
        await thief.handshake()
        thief.id = client.id
        [reply] = await thief.send({"channel": "/meta/connect"})

    assert reply["error"].startswith("402:")
    assert reply["advice"] == {"reconnect": "handshake", "interval": 0}


async def test_a_client_without_cookies_works(url: str) -> None:
    async with Poller.at(url) as client:
        await client.handshake()
        client.http.cookies.clear()
        assert (await client.connect())[-1]["successful"]
        client.http.cookies.clear()
        assert (await client.subscribe("/a"))["successful"]


async def test_an_empty_array_is_answered_with_one_each_time() -> None:
    """The native host knows the head of the second request and of the third."""
    async with serving(Bus()) as url, Poller.at(url) as client:
        for _ in range(3):
            response = await client.post("[]")
            assert (response.status_code, response.text) == (200, "[]")
        await client.begin()
        assert (await client.post("message=[]")).text == "[]"
