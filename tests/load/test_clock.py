"""The alarm. Its subject is real time: how near to its time it rings."""

import asyncio

from mirant.load.clock import Alarm, now_us


async def test_it_rings_once_at_its_time_and_not_before() -> None:
    rung: list[int] = []
    ringing = asyncio.Event()

    def ring() -> None:
        rung.append(now_us())
        ringing.set()

    alarm = Alarm(asyncio.get_running_loop(), ring)
    try:
        due = now_us() + 3_000
        alarm.set(due + 60_000_000)
        alarm.set(due)  # the earlier setting is forgotten
        async with asyncio.timeout(5):
            await ringing.wait()
    finally:
        alarm.stop()

    assert len(rung) == 1
    assert rung[0] >= due - 50


async def test_a_time_that_has_passed_rings_at_once() -> None:
    ringing = asyncio.Event()
    alarm = Alarm(asyncio.get_running_loop(), ringing.set)
    try:
        alarm.set(now_us() - 1_000_000)
        async with asyncio.timeout(5):
            await ringing.wait()
    finally:
        alarm.stop()
