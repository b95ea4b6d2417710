"""What is beside a bus that is served alone; how a server ends is in test_shutdown.py."""

import pytest
from websockets.exceptions import InvalidStatus

from mirant import Bus
from mirant.hosts.server import Elsewhere
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import serving


async def test_a_websocket_beside_a_bus_served_alone_is_refused() -> None:
    bus = Bus()
    async with serving(bus, bus.mount(Elsewhere("/cometd"))) as origin, Poller.at(origin) as client:
        with pytest.raises(InvalidStatus, match="403"):
            async with Socket.at(f"{origin}/elsewhere"):
                pass
        home = await client.http.get(origin)
        assert (home.status_code, home.headers["location"]) == (307, "/cometd")
        lost = await client.http.get(f"{origin}/x")
        assert (lost.status_code, lost.text) == (404, "There is nothing here. The bus is at /cometd.\n")
