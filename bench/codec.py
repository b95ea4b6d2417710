"""What reading and writing messages costs, beside other ways to do it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from bench.measuring import Benchmark, Effort, Result, timed
from bench.stage import message
from mirant.bayeux.channels import Channel
from mirant.bayeux.codec import decode
from mirant.bayeux.messages import Delivery, Reply

_LIMITS = {"max_size": 1_000_000, "max_batch": 1_000}
_CLIENT = "0123456789abcdef" * 2
_CHANNEL = Channel.parse("/chat/rooms/42")


def run(effort: Effort) -> Iterator[Result]:
    """Decode bodies of 1 and 20 messages, make delivery bytes of them, and encode a reply."""
    for count in (1, 20):
        body = b"[%b]" % b",".join(message(_CHANNEL.name, _CLIENT, number) for number in range(count))
        yield _timed(f"decode, {count} in a body", partial(decode, body, **_LIMITS), count, effort)
        yield _timed(f"decode and make deliveries, {count} in a body", partial(_forward, body), count, effort)
        for name, loads, dumps in _others():
            case = f"the same with {name}, {count} in a body"
            yield _timed(case, partial(_forward_with, body, loads, dumps), count, effort)
    [published] = decode(message(_CHANNEL.name, _CLIENT), **_LIMITS)
    yield _timed("make a delivery", partial(Delivery.forward, _CHANNEL, published), 1, effort)
    reply = Reply(channel=_CHANNEL.name, id="17", successful=True)
    yield _timed("encode a reply", reply.encode, 1, effort)


def _timed(case: str, work: Callable[[], object], items: int, effort: Effort) -> Result:
    return timed("codec", case, "message", work, items, effort)


def _forward(body: bytes) -> None:
    for published in decode(body, **_LIMITS):
        Delivery.forward(_CHANNEL, published)


def _others() -> Iterator[tuple[str, Callable[[bytes], Any], Callable[[object], object]]]:
    yield "json", json.loads, json.dumps
    if find_spec("orjson") is not None:
        orjson = import_module("orjson")
        yield "orjson", orjson.loads, orjson.dumps


def _forward_with(body: bytes, loads: Callable[[bytes], Any], dumps: Callable[[object], object]) -> None:
    for published in loads(body):
        dumps({"channel": published["channel"], "data": published["data"]})


CODEC = Benchmark("codec", "bytes to messages, messages to bytes", run)
