"""``GET <path>/health``: whether the bus takes sessions, the same on every host."""

from collections.abc import AsyncIterator

import pytest

from mirant import Bus
from mirant.hosts.server import Elsewhere
from tests.hosts.clients import Poller
from tests.hosts.serving import serving


@pytest.fixture
async def client() -> AsyncIterator[Poller]:
    """Serve a bus at /cometd; return a client."""
    bus = Bus()
    async with (
        serving(bus, bus.mount(Elsewhere("/cometd"))) as origin,
        Poller.at(f"{origin}/cometd") as client,
    ):
        yield client


async def test_a_bus_that_takes_sessions_is_well(client: Poller) -> None:
    response = await client.http.get(f"{client.url}/health")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


async def test_a_bus_that_closes_says_so() -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        bus.open()
        await bus.close()
        response = await client.http.get("/health")
        assert response.status_code == 503
        assert response.json() == {"status": "closing", "reason": "The bus is closing: it takes no polls."}
        bus.open()
        assert (await client.http.get("/health")).status_code == 200


async def test_health_at_the_root() -> None:
    bus = Bus()
    async with serving(bus) as origin, Poller.at(origin) as client:
        assert (await client.http.get(f"{origin}/health")).json() == {"status": "ok"}
        await client.begin()
