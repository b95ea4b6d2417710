"""The headers of a request, kept for as long as its WebSocket lives."""

from __future__ import annotations

from mirant import Handshake
from mirant.hosts.native.headers import PackedHeaders
from tests.hosts.clock import settle
from tests.hosts.line import Site, text_frame, upgrade_request


def test_packed_headers_are_a_mapping() -> None:
    headers = PackedHeaders([(b"X-Token", b"a:b"), (b"Cookie", b"c=d"), (b"cookie", b"e=f")])

    assert dict(headers) == {"x-token": "a:b", "cookie": "c=d; e=f"}
    assert len(headers) == 2
    assert headers.get("missing") is None


async def test_the_request_can_be_asked_for_after_the_upgrade() -> None:
    """Its headers are kept in another form than before: an application must not notice."""
    site = Site()
    seen: list[tuple[str | None, str | None, int]] = []

    @site.bus.authenticate
    def who(handshake: Handshake) -> None:
        headers = handshake.request.headers
        seen.append((headers.get("x-token"), headers.get("missing"), len(headers)))

    line = site.connect()
    line.send(upgrade_request("/cometd", "X-Token: a:b", "Cookie: c=d"))
    line.send(text_frame([{"channel": "/meta/handshake"}]))
    await settle()

    assert [(token, missing) for token, missing, _ in seen] == [("a:b", None)]
    assert seen[0][2] > 5
