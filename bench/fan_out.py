"""What a delivery costs the core, from `Core.publish` until every connection has been written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bench.measuring import Benchmark, Effort, Result, timed
from bench.stage import Stage
from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Delivery

_SIZES = (10, 100, 1_000, 10_000)
_PER_TICK = (1, 16)


def run(effort: Effort) -> Iterator[Result]:
    """Publish to more and more subscribers, alone and 16 in one turn of the event loop."""
    for size in _SIZES:
        if size <= effort.most:
            stage = Stage()
            for _ in range(size):
                stage.hold(stage.enter("/chat/room"))
            for count in _PER_TICK:
                case = f"{size:,} subscribers, {count} published per tick"
                items = size * count
                yield timed("fan-out", case, "delivery", partial(_publish, stage, count), items, effort)
    yield _different_lists(effort)


def _publish(stage: Stage, count: int) -> None:
    channel = Channel.parse("/chat/room")
    for _ in range(count):
        stage.core.publish(channel, Delivery.of_raw(channel.name, b'{"text":"hello"}'))
    stage.flush()


def _different_lists(effort: Effort) -> Result:
    """Publish to four channels in one tick: all subscribe to the first, half of them to the others."""
    stage = Stage()
    rooms = [Channel.parse(f"/chat/{number}") for number in range(4)]
    size = min(1_000, effort.most)
    deliveries = 0
    for number in range(size):
        joined = rooms if number % 2 else rooms[:1]
        deliveries += len(joined)
        stage.hold(stage.enter(*(room.name for room in joined)))

    def publish() -> None:
        for room in rooms:
            stage.core.publish(room, Delivery.of_raw(room.name, b'{"text":"hello"}'))
        stage.flush()

    case = f"{size:,} subscribers of 1 or 4 channels, 4 published per tick"
    return timed("fan-out", case, "delivery", publish, deliveries, effort)


FAN_OUT = Benchmark("fan-out", "one publish, many connections", run)
