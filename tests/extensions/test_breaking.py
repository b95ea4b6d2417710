"""Extensions that break, and clients that try to break one."""

import asyncio

import pytest

from mirant import (
    Bus,
    Extension,
)
from mirant.bayeux.messages import Message, Reply
from mirant.bus.turn import Turn
from tests.hosts.clients import Poller


class Breaking(Extension):
    """Raises when a reply to a message with this id leaves."""

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        if message.id == "break":
            raise ValueError("the extension is broken")


async def test_an_extension_that_breaks_does_not_stop_the_bus() -> None:
    bus = Bus(extensions=[Breaking()])

    async with Poller.inside(bus) as client:
        await client.begin()
        await asyncio.wait_for(client.send({"channel": "/a", "data": 1, "id": "break"}), 1)
        assert (await asyncio.wait_for(client.publish("/a", 1), 1))["successful"]


@pytest.mark.parametrize("number", ["1e308", "1e300", "-1e308", "1" * 400])
async def test_no_clock_of_a_client_stops_the_bus(number: str) -> None:
    bus = Bus()

    async with Poller.inside(bus) as client:
        body = (
            '{"channel":"/meta/handshake",'
            f'"ext":{{"timesync":{{"tc":{number},"l":{number},"o":{number}}}}}}}'
        )
        response = await asyncio.wait_for(client.post(body), 1)
        assert response.json()[0]["successful"]
        assert (await asyncio.wait_for(client.handshake(), 1))["successful"]
