"""The demo's bus in this process, at a time that stands still."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from mirant import Bus
from mirant.demo.app import create_bus
from mirant.demo.tokens import Issuer
from tests.demo.client import Client

NOW = 1_079_308_800.25  # seconds since 1970
NOW_MS = 1_079_308_800_250

Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
def issuer() -> Issuer:
    """Who signs the tokens of the chat's members. Their time is the real one: the bus verifies them."""
    return Issuer()


@pytest.fixture
async def bus(issuer: Issuer) -> AsyncIterator[Bus]:
    """The demo's bus."""
    bus = create_bus(wall_clock=lambda: NOW, issuer=issuer)
    yield bus
    await bus.close()


@pytest.fixture
async def connect(bus: Bus) -> AsyncIterator[Connect]:
    """Make clients that have a session."""
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(bus))
        return await clients[-1].handshake()

    yield connect
    for client in clients:
        await client.close()
