"""What waits between the bus and the server's `send`."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from mirant import Bus, Settings
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.hosts.asgi.outflow import AsgiSendQueue, Item, abort, until_first
from tests.hosts.asgi.caller import Call, socket, turns

NEVER = 30.0


def batches(count: int) -> list[Batch]:
    """Return *count* batches of one delivery each."""
    return [Batch([Delivery.of_raw("/a", b"%d" % number)]) for number in range(count)]


async def test_what_is_put_is_sent_in_order_and_then_it_is_writable_again() -> None:
    queue, sent, resumed = AsgiSendQueue(), list[Item](), list[bool]()

    async def send(item: Item) -> None:
        sent.append(item)

    running = asyncio.create_task(queue.run(send, lambda: resumed.append(queue.empty)))
    first, second = batches(2)
    queue.put([first, b"[]"])
    queue.put([second])
    assert not queue.empty
    await turns()

    assert sent == [first, b"[]", second]
    assert resumed == [True]
    queue.end()
    await running


async def test_what_was_not_sent_when_the_server_notices_is_taken_back() -> None:
    queue = AsgiSendQueue()
    first, second = batches(2)

    async def send(item: Item) -> None:
        raise OSError("the peer is gone")

    queue.put([first, b"[]", second])
    with pytest.raises(OSError, match="gone"):
        await queue.run(send, lambda: None)

    assert queue.take_back() == [first, second]


async def test_a_close_waits_for_what_was_put_before() -> None:
    queue, sent = AsgiSendQueue(), list[Item]()

    async def send(item: Item) -> None:
        sent.append(item)

    queue.put([b"[1]"])
    queue.close(1000, "bye")
    queue.close(1001, "too late")
    await queue.run(send, lambda: None)

    assert sent == [b"[1]"]
    assert queue.closing == (1000, "bye")


async def test_the_first_to_end_ends_all_and_its_error_is_raised() -> None:
    cancelled = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("first")

    with pytest.raises(OSError, match="first"):
        await until_first(wait(), fail())
    assert cancelled.is_set()


def test_a_server_without_a_transport_cannot_be_aborted() -> None:
    async def send(event: Any) -> None: ...

    abort(send)


# --- Over a whole connection ---


async def begun(bus: Bus) -> tuple[Call, str]:
    """Open a WebSocket with a session that subscribes to /a."""
    call = socket(bus)
    call.tell("websocket.receive", text='[{"channel":"/meta/handshake"}]')
    await turns()
    me = str(call.messages[0]["clientId"])
    for message in (
        f'[{{"channel":"/meta/connect","clientId":"{me}"}}]',
        f'[{{"channel":"/meta/subscribe","subscription":"/a","clientId":"{me}"}}]',
    ):
        call.tell("websocket.receive", text=message)
        await turns()
    assert all(message["successful"] for message in call.messages)
    call.sent.clear()
    return call, me


async def test_what_a_broken_websocket_had_not_sent_goes_back_to_the_session() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    call, me = await begun(bus)
    call.free.clear()  # the peer does not read
    for number in range(3):
        bus.publish_nowait("/a", number)
        await turns()
    call.failure = OSError("the peer is gone")
    call.free.set()
    await call.end()
    again, _ = await begun(bus)
    again.tell("websocket.receive", text=f'[{{"channel":"/meta/connect","clientId":"{me}"}}]')
    await turns()
    session = bus.loop.core.sessions.get(me)

    assert call.messages == []
    assert session is not None
    assert [delivery.payload for delivery in session.outbox.take(10_000)] == [
        b'{"channel":"/a","data":%d}' % number for number in range(3)
    ]
    again.tell("websocket.disconnect", code=1000)
    await again.end()


async def test_a_peer_that_reads_nothing_is_read_from_again_when_it_reads() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    call, me = await begun(bus)
    call.free.clear()
    for number in range(3):
        text = f'[{{"channel":"/b","data":{number},"clientId":"{me}","id":"{number}"}}]'
        call.tell("websocket.receive", text=text)
    await turns(50)
    assert call.messages == []
    call.free.set()
    await turns(50)

    assert [message["id"] for message in call.messages] == ["0", "1", "2"]
    call.tell("websocket.disconnect", code=1000)
    await call.end()


async def test_who_reads_no_answers_is_not_read_from() -> None:
    bus = Bus(settings=Settings(timeout=NEVER, max_interval=NEVER))
    published: list[object] = []
    bus.on_publish("/b")(lambda caller, data: published.append(data))
    call, me = await begun(bus)
    call.free.clear()
    for number in range(3):
        text = f'[{{"channel":"/b","data":{number},"clientId":"{me}","id":"1"}}]'
        call.tell("websocket.receive", text=text)
        await turns(50)
    assert published == [0, 1]  # it was waiting for the second before the first was answered
    call.free.set()
    await turns(50)

    assert published == [0, 1, 2]
    call.tell("websocket.disconnect", code=1000)
    await call.end()


async def test_a_cancellation_is_raised_as_it_came() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(until_first(for_ever(), for_ever()))
    await turns()
    running.cancel(
        "by a scope of anyio"
    )  # which knows its own by the text, and repeats it until it is obeyed
    await turns(2)
    running.cancel("by a scope of anyio")
    with pytest.raises(asyncio.CancelledError, match="by a scope of anyio"):
        await running


async def test_what_the_others_raise_when_they_are_cancelled_is_nobodys_concern(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def first() -> None:
        await asyncio.sleep(0)

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("while it was cancelled")

    await until_first(first(), stubborn())
    gc.collect()
    await turns()

    assert caplog.records == []
