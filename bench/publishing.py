"""What a publish over a WebSocket costs, from the bytes of its frame to the bytes of its reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import cycle, islice

from bench.matching import names_of
from bench.measuring import Benchmark, Effort, Result, timed
from bench.stage import Sink, Stage, message, sink_of
from mirant.extensions.ack import Ack
from mirant.extensions.binary import BinaryData
from mirant.extensions.timesync import TimeSync

_SIZES = (10, 1_000_000)
_ITEMS = 1_000


def run(effort: Effort) -> Iterator[Result]:
    """Publish to nobody, to one, in batches, and on many channels in rotation."""
    stage = Stage()
    sender, client = _sender(stage)
    alone = b"[%b]" % message("/chat/nobody", client)
    heard = b"[%b]" % message("/chat/room", client)
    batch = b"[%b]" % b",".join(message("/chat/nobody", client, number) for number in range(20))
    stage.enter("/chat/room")
    yield _timed("nobody subscribed", partial(_say, stage, sender, alone), 1, effort)
    yield _timed("one subscriber", partial(_say, stage, sender, heard), 1, effort)
    yield _timed("nobody subscribed, 20 in a frame", partial(_say, stage, sender, batch), 20, effort)
    yield _timed("nobody subscribed, 20 frames per tick", partial(_burst, stage, sender, alone), 20, effort)
    stage.core.extensions.add(*[Ack(), BinaryData(), TimeSync(lambda: 0.0)])
    yield _timed("nobody subscribed, usual extensions", partial(_say, stage, sender, alone), 1, effort)
    yield _timed("one subscriber, usual extensions", partial(_say, stage, sender, heard), 1, effort)
    for size in _SIZES:
        if size <= effort.most:
            yield _in_rotation(size, effort)


def frames(names: Iterable[str], client_id: str) -> list[bytes]:
    """Return a publish on each of the channels called *names*."""
    return [b"[%b]" % message(name, client_id) for name in names]


def _sender(stage: Stage) -> tuple[Sink, str]:
    session = stage.enter()
    stage.hold(session)
    return sink_of(session), session.id


def _in_rotation(size: int, effort: Effort) -> Result:
    stage = Stage()
    sender, client = _sender(stage)
    stage.enter("/games/**")
    rotation = cycle(names_of(size))

    def publish() -> int:
        # Made anew each time: a million frames would be 200 MB. What that costs is measured apart.
        for frame in frames(islice(rotation, _ITEMS), client):
            _say(stage, sender, frame)
        return _ITEMS

    case = f"one subscriber by wildcard, {size:,} channels in rotation (with making the frames)"
    return _timed(case, publish, _ITEMS, effort)


def _say(stage: Stage, sender: Sink, frame: bytes) -> None:
    stage.say(sender, frame)
    stage.flush()


def _burst(stage: Stage, sender: Sink, frame: bytes) -> None:
    for _ in range(20):
        stage.say(sender, frame)
    stage.flush()


def _timed(case: str, work: Callable[[], object], items: int, effort: Effort) -> Result:
    return timed("publish", case, "publish", work, items, effort)


PUBLISH = Benchmark("publish", "the way of a publish through the core", run)
