"""``mirant serve --root-path``: pages behind a proxy that strips a prefix."""

from __future__ import annotations

from pathlib import Path

import httpx
from click.testing import CliRunner

from mirant.cli import main
from tests.hosts.clients import Poller
from tests.hosts.serving import Process


async def test_pages_link_to_the_address_that_browsers_use(tmp_path: Path) -> None:
    with Process("serve", "--port", "0", "--root-path", "/api/", folder=tmp_path) as server:
        origin = server.url.removesuffix("/cometd")
        async with httpx.AsyncClient(base_url=origin) as http:  # as the proxy, which has stripped /api
            page = await http.get("/cometd")
            assert page.status_code == 200
            assert "/api/cometd/mirant.js" in page.text
            assert (await http.get("/cometd/mirant.js")).status_code == 200
            assert (await http.get("/cometd/health")).json() == {"status": "ok"}
            assert (await http.get("/")).headers["location"] == "/api/cometd"
            assert "The bus is at /api/cometd." in (await http.get("/elsewhere")).text
        async with Poller.at(server.url) as client:
            await client.begin()


def test_a_prefix_without_a_slash_is_refused() -> None:
    result = CliRunner().invoke(main, ["serve", "--root-path", "api"])

    assert result.exit_code == 2
    assert "'api' should begin with a slash, such as /api." in result.output
