"""The opening handshake of a WebSocket."""

import pytest

from mirant.hosts.rfc6455.handshake import accept_headers, accept_key, is_handshake

GOOD = {
    "host": "x",
    "upgrade": "WebSocket",
    "connection": "keep-alive, Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
}


def test_the_handshake_of_the_specification() -> None:
    assert is_handshake("GET", "1.1", GOOD)
    assert accept_key(GOOD["sec-websocket-key"]) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # section 1.3
    assert b"sec-websocket-protocol" not in accept_headers(GOOD)
    assert b"sec-websocket-protocol: a\r\n" in accept_headers({**GOOD, "sec-websocket-protocol": "a, b"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"upgrade": "h2c"},
        {"connection": "keep-alive"},
        {"sec-websocket-version": "8"},
        {"sec-websocket-key": "dGhl"},
        {"sec-websocket-key": "é"},
        {"sec-websocket-protocol": "a,,b"},
        {"sec-websocket-protocol": ""},
        {"content-length": "1"},
    ],
)
def test_what_is_no_handshake(wrong: dict[str, str]) -> None:
    assert not is_handshake("GET", "1.1", {**GOOD, **wrong})


def test_what_is_no_handshake_by_its_first_line() -> None:
    assert not is_handshake("POST", "1.1", GOOD)
    assert not is_handshake("GET", "1.0", GOOD)
    assert not is_handshake("GET", "1.1", {})
