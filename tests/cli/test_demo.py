"""``mirant demo``: it says where it is, and serves the demo's bus and its pages there."""

from pathlib import Path

from tests.hosts.clients import Poller
from tests.hosts.serving import Process


async def test_the_demo(tmp_path: Path) -> None:
    with Process("demo", "--port", "0", folder=tmp_path) as server:
        assert server.first_line.startswith("The Mirant demo is at http://localhost:")
        async with Poller.at(server.url) as client:
            await client.begin()
            assert (await client.call("/echo", [1.5]))["data"] == [1.5]
            assert (await client.http.get(server.url)).status_code == 200
