"""Requests that are the application's: passed on as they were understood, in their order."""

from __future__ import annotations

import pytest

from tests.hosts.line import Line, Site, upgrade_request
from tests.hosts.native.applications import echo
from tests.hosts.native.test_requests import chunked
from tests.hosts.wire import post

HANDSHAKE = b'[{"channel":"/meta/handshake","id":"1"}]'


@pytest.fixture
async def line() -> Line:
    """Return a connection to a bus with an application beside it."""
    return Site(echo).connect()


async def test_requests_to_both_in_turn(line: Line) -> None:
    for turn in range(3):
        _, _, page = await line.ask(f"GET /page{turn} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert page == f"GET /page{turn} ".encode()
        status, headers, landing = await line.ask(b"GET /cometd HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (status, headers["content-type"]) == (200, "text/html;charset=utf-8")
        assert landing
        line.send(post(HANDSHAKE))
        assert (await line.messages())[0]["successful"]


async def test_requests_to_both_at_once_are_answered_in_order(line: Line) -> None:
    line.send(
        post(b"one", "/app")
        + post(HANDSHAKE)
        + chunked(b"t", b"wo", path="/app")
        + chunked(HANDSHAKE[:7], HANDSHAKE[7:], path="/cometd/x")
        + b"HEAD /app HTTP/1.1\r\nHost: x\r\n\r\n"
        + b"OPTIONS /cometd HTTP/1.1\r\nHost: x\r\n\r\n"
        + post(b"three", "/app")
    )

    assert (await line.response())[2] == b"POST /app one"
    assert (await line.messages())[0]["successful"]
    assert (await line.response())[2] == b"POST /app two"
    assert (await line.messages())[0]["successful"]
    assert b"content-length: 10\r\n" in await line.head()
    assert (await line.response())[0] == 204
    assert (await line.response())[2] == b"POST /app three"


async def test_a_large_body_goes_to_the_application_as_a_whole(line: Line) -> None:
    body = bytes(range(256)) * 8 * 1024  # 2 MiB, more than the bus takes

    assert (await line.ask(post(body, "/app")))[2] == b"POST /app " + body
    assert (await line.ask(chunked(body[:100_000], body[100_000:], path="/app")))[2] == b"POST /app " + body


@pytest.mark.parametrize("path", ["/cometd", "/app"])
async def test_a_websocket_of_another_version(line: Line, path: str) -> None:
    status, _, body = await line.ask(upgrade_request(path, version=8))

    assert status == 400
    assert b"version" in body.lower()


async def test_an_upgrade_with_a_line_that_the_application_never_answers_is_refused(line: Line) -> None:
    status, headers, _ = await line.ask(upgrade_request("/app", "X-Long: " + "a" * 20_000))

    assert (status, headers["connection"]) == (431, "close")
