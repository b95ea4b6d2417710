"""An outbox at its edges: just full, just taken, replaced, and with a retention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import Batch
from mirant.bus.dropped import DROPPED
from mirant.bus.outbox import Outbox


def delivery(
    number: int, channel: str = "/a", *, latest: bool = False, lazy: float | None = None
) -> Delivery:
    """Return a delivery of 25 bytes."""
    made = Delivery.of_raw(channel, b"%d" % number)
    made.latest, made.lazy = latest, lazy
    assert len(made.payload) == SIZE
    return made


SIZE = 25


def test_a_batch_is_an_array_and_begins_like_one_that_goes_on() -> None:
    batch = Batch([delivery(1), delivery(2)])
    for _ in range(2):
        assert (
            batch.opening + b"]" == batch.payload == b'[{"channel":"/a","data":1},{"channel":"/a","data":2}]'
        )


def test_what_just_fits_is_put_and_taken() -> None:
    outbox = Outbox(2 * SIZE)
    first, second = delivery(1, latest=True), delivery(2, "/b", latest=True)
    outbox.put(first)
    outbox.put(second)
    assert outbox.take(2 * SIZE) == [first, second]


@pytest.mark.parametrize(("most", "count"), [(2 * SIZE - 1, 1), (2 * SIZE, 2), (2 * SIZE + 1, 2)])
def test_as_many_are_taken_as_just_fit(most: int, count: int) -> None:
    outbox = Outbox(1_000)
    for number in range(3):
        outbox.put(delivery(number))
    assert len(outbox.take(most)) == count


@pytest.mark.parametrize("retained", [False, True])
def test_only_a_latest_delivery_replaces_one(*, retained: bool) -> None:
    outbox = Outbox(1_000)
    if retained:
        outbox.retain(Resending([]))
    first, second = delivery(1, latest=True), delivery(2)
    outbox.put(first)
    outbox.put(second)
    assert outbox.take(1_000) == [first, second]


def test_each_that_was_dropped_is_told_under_its_own_channel() -> None:
    outbox = Outbox(2 * SIZE, "drop-oldest")
    for channel in ("/a", "/b"):
        outbox.put(delivery(1, channel))
    large = Delivery.of_raw("/c", b"1" * (SIZE + 1))
    assert [each.channel for each in outbox.put(large)] == ["/a", "/b"]
    report = msgspec.json.decode(outbox.take(1_000)[0].payload)
    assert DROPPED == report["channel"] == "/service/mirant/dropped"
    assert report["data"]["channels"] == {"/a": 1, "/b": 1}


def test_a_lazy_delivery_behind_a_prompt_one_leaves_the_outbox_urgent() -> None:
    outbox = Outbox(1_000)
    outbox.put(delivery(1, latest=True))
    outbox.put(delivery(2, "/b", latest=True, lazy=5.0))
    assert outbox.urgent


class Resending:
    """A retention with deliveries that are to leave again."""

    def __init__(self, again: Sequence[Delivery]) -> None:
        self.due_again = list(again)
        self.kept: list[Delivery] = []

    @property
    def reserved(self) -> int:
        return sum(len(each.payload) for each in [*self.kept, *self.due_again])

    @property
    def count(self) -> int:
        return len(self.kept) + len(self.due_again)

    @property
    def due(self) -> int:
        return len(self.due_again)

    def again(self, most: int) -> list[Delivery]:
        count = max(1, most // SIZE) if self.due_again else 0
        leaving, self.due_again = self.due_again[:count], self.due_again[count:]
        self.kept += leaving
        return leaving

    def left(self, deliveries: Sequence[Delivery], dropped: Mapping[str, int] | None) -> None:
        self.kept += deliveries


@pytest.mark.parametrize(
    ("due", "new", "most", "left"),
    [
        (0, 2, 2 * SIZE, 0),
        (0, 2, SIZE, 1),
        (0, 2, 0, 1),
        (1, 2, 3 * SIZE, 0),
        (1, 2, 2 * SIZE, 1),
        (1, 2, SIZE, 2),
        (2, 1, SIZE, 2),
        (1, 0, SIZE, 0),
    ],
)
def test_what_is_to_leave_again_and_what_is_new_share_the_room(
    due: int, new: int, most: int, left: int
) -> None:
    deliveries = [delivery(number) for number in range(due + new)]
    outbox, retention = Outbox(1_000), Resending(deliveries[:due])
    outbox.retain(retention)
    outbox.resend({})
    for each in deliveries[due:]:
        outbox.put(each)
    taken = outbox.take(most)
    assert taken == retention.kept == deliveries[: len(deliveries) - left]
    assert len(outbox) == left
    assert (outbox.urgent, outbox.idle) == (left > 0, left == 0)
