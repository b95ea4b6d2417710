"""What waits for one session, and how it is cut for the wire."""

import gc
import json
import tracemalloc
from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from mirant.bayeux.messages import Delivery
from mirant.bus.batch import MAX_FRAME, array_ends, coalesce
from mirant.bus.outbox import Outbox, OutboxFull
from mirant.options.values import Overflow


class Keeping:
    """A retention that keeps *reserved* bytes, which its client never acknowledges."""

    def __init__(self, reserved: int) -> None:
        self.reserved = reserved
        self.due = 0
        self.count = 1 if reserved else 0

    def again(self, most: int) -> list[Delivery]:
        return []

    def left(self, deliveries: Sequence[Delivery], dropped: Mapping[str, int] | None) -> None:
        """Keep nothing more."""


def delivery(size: int, channel: str = "/a") -> Delivery:
    """Return a delivery whose payload has *size* bytes."""
    empty = len(Delivery.of_raw(channel, b'""').payload)
    return Delivery.of_raw(channel, b'"%b"' % (b"x" * (size - empty)))


def test_deliveries_are_taken_in_the_order_in_which_they_were_put() -> None:
    outbox, deliveries = Outbox(1_000), [delivery(100) for _ in range(5)]
    for each in deliveries:
        outbox.put(each)
    assert outbox.take(10_000) == deliveries
    assert (len(outbox), outbox.size) == (0, 0)


def test_an_outbox_counts_bytes() -> None:
    outbox = Outbox(1_000)
    outbox.put(delivery(100))
    outbox.put(delivery(50))
    assert (len(outbox), outbox.size) == (2, 150)
    outbox.take(100)
    assert (len(outbox), outbox.size) == (1, 50)


def test_an_outbox_takes_as_much_as_its_limit_and_says_what_was_too_much() -> None:
    outbox = Outbox(200)
    outbox.put(delivery(100))
    outbox.put(delivery(100))
    with pytest.raises(OutboxFull, match="200 bytes are waiting; the limit is 200") as full:
        outbox.put(delivery(50))
    assert (full.value.size, full.value.limit) == (200, 200)
    assert (len(outbox), outbox.size) == (2, 200)


def test_a_delivery_larger_than_the_limit_is_taken_if_nothing_else_waits() -> None:
    outbox = Outbox(100)
    outbox.put(delivery(500))
    with pytest.raises(OutboxFull):
        outbox.put(delivery(50))
    assert len(outbox.take(1_000)) == 1
    outbox.put(delivery(500))


def test_taking_stops_before_the_delivery_that_would_be_too_much() -> None:
    outbox = Outbox(1_000)
    for _ in range(4):
        outbox.put(delivery(100))
    assert len(outbox.take(250)) == 2
    assert len(outbox.take(200)) == 2


def test_at_least_one_delivery_is_taken_however_large() -> None:
    outbox = Outbox(1_000)
    outbox.put(delivery(100))
    outbox.put(delivery(100))
    assert len(outbox.take(1)) == 1


def test_taking_from_an_empty_outbox_is_nothing() -> None:
    assert Outbox(100).take(100) == []


def test_what_was_not_sent_goes_back_to_the_front_in_its_order() -> None:
    outbox, [first, second, third] = Outbox(1_000), [delivery(100) for _ in range(3)]
    outbox.put(first)
    outbox.put(second)
    taken = outbox.take(1_000)
    outbox.put(third)
    outbox.put_back(taken)
    assert outbox.size == 300
    assert outbox.take(1_000) == [first, second, third]


def test_a_cleared_outbox_is_empty_and_can_be_used_again() -> None:
    outbox = Outbox(100)
    outbox.put(delivery(100))
    outbox.clear()
    assert (len(outbox), outbox.size, outbox.take(100)) == (0, 0, [])
    outbox.put(delivery(100))
    assert len(outbox) == 1


def test_an_outbox_that_nothing_waits_in_holds_no_containers() -> None:
    """Each session has an outbox, and most are empty. An empty deque takes 600 bytes."""
    outbox = Outbox(100)
    assert outbox._queue is None
    outbox.put_back([])
    assert outbox._queue is None
    outbox.put(delivery(50))
    outbox.take(100)
    assert outbox._queue is None


def test_dropping_the_oldest_makes_room_and_is_told_to_the_client_first() -> None:
    outbox = Outbox(250, "drop-oldest")
    deliveries = [delivery(100, "/x"), delivery(100, "/y"), delivery(100, "/z")]
    for each in deliveries:
        outbox.put(each)
    report, *kept = outbox.take(1_000)
    assert kept == deliveries[1:]
    assert json.loads(report.payload)["data"] == {"count": 1, "channels": {"/x": 1}, "reason": "outbox-full"}


def test_dropping_the_newest_keeps_what_waits_and_is_told_to_the_client() -> None:
    outbox = Outbox(250, "drop-newest")
    deliveries = [delivery(100, "/x"), delivery(100, "/y"), delivery(100, "/z"), delivery(100, "/z")]
    for each in deliveries:
        outbox.put(each)
    report, *kept = outbox.take(1_000)
    assert kept == deliveries[:2]
    assert json.loads(report.payload)["data"]["channels"] == {"/z": 2}


def test_dropping_is_told_once() -> None:
    outbox = Outbox(100, "drop-oldest")
    outbox.put(delivery(100))
    outbox.put(delivery(100))
    assert len(outbox.take(1_000)) == 2
    outbox.put(delivery(100))
    assert len(outbox.take(1_000)) == 1


def test_a_report_of_many_channels_is_short_and_its_count_complete() -> None:
    outbox = Outbox(100, "drop-newest")
    outbox.put(delivery(100))
    for number in range(1_000):
        outbox.put(delivery(100, f"/{number}"))
    data = json.loads(outbox.take(1_000)[0].payload)["data"]
    assert data["count"] == 1_000
    assert len(data["channels"]) <= 32


def latest(data: bytes, channel: str = "/price") -> Delivery:
    payload = Delivery.of_raw(channel, data).payload
    return Delivery(channel, payload, latest=True)


def test_of_deliveries_of_which_the_latest_counts_one_waits_per_channel() -> None:
    outbox = Outbox(1_000)
    for price in (b"1", b"2", b"3"):
        outbox.put(latest(price))
        outbox.put(latest(price, "/volume"))
    assert [json.loads(each.payload)["data"] for each in outbox.take(1_000)] == [3, 3]
    assert outbox.size == 0


def test_replacing_does_not_get_round_the_limit() -> None:
    outbox = Outbox(1_000)
    large = b'"%b"' % (b"x" * 600)
    outbox.put(latest(b"1", "/a"))
    outbox.put(latest(b"1", "/b"))
    outbox.put(latest(large, "/a"))
    with pytest.raises(OutboxFull):
        outbox.put(latest(large, "/b"))


def test_coalescing_joins_deliveries_into_one_array() -> None:
    [batch] = coalesce([Delivery.of_raw("/a", b"1"), Delivery.of_raw("/b", b"2")])
    assert batch.payload == b'[{"channel":"/a","data":1},{"channel":"/b","data":2}]'


def test_a_batch_is_encoded_once() -> None:
    [batch] = coalesce([delivery(100)])
    assert batch.payload is batch.payload


@pytest.mark.parametrize("sizes", [[100] * 1_000, [30_000] * 5, [16_382, 16_383, 50], [16_383, 16_384], [40]])
def test_no_array_of_several_deliveries_is_larger_than_a_frame(sizes: list[int]) -> None:
    deliveries = [delivery(size) for size in sizes]
    batches = coalesce(deliveries)
    assert [each for batch in batches for each in batch.deliveries] == deliveries
    assert all(len(batch.payload) <= MAX_FRAME for batch in batches)


def test_arrays_are_as_full_as_they_can_be() -> None:
    assert len(coalesce([delivery(MAX_FRAME // 2 - 2), delivery(MAX_FRAME // 2 - 1)])) == 1


def test_a_delivery_larger_than_a_frame_travels_alone() -> None:
    batches = coalesce([delivery(100), delivery(MAX_FRAME * 2), delivery(100), delivery(100)])
    assert [len(batch.deliveries) for batch in batches] == [1, 1, 2]


def frame_of(*sizes: int) -> int:
    """Return how long the array of deliveries of *sizes* is: brackets, and commas between."""
    return sum(sizes) + len(sizes) + 1


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_array_is_cut_when_it_would_be_a_byte_too_long(count: int, more: int) -> None:
    assert MAX_FRAME == 32_768
    first = [8_000] * (count - 1)
    last = MAX_FRAME - frame_of(*first, 0) + more
    for before in ([], [MAX_FRAME - 100]):  # as the first array of all, and after one that was cut
        batches = coalesce([delivery(size) for size in (*before, *first, last)])[len(before) :]
        assert [len(batch.deliveries) for batch in batches] == ([count] if more <= 0 else [count - 1, 1])
        assert len(batches[0].payload) == (MAX_FRAME + more if more <= 0 else frame_of(*first))


@pytest.mark.parametrize("sizes", [[100_000], [100_000, 10], [10, 100_000], [100_000, 100_000], [10, 10]])
def test_no_array_is_empty(sizes: list[int]) -> None:
    for sample in (sizes, sizes * 2):
        ends = array_ends(sample)
        assert ends[-1] == len(sample)
        assert all(end > start for start, end in zip([0, *ends], ends, strict=False))


def test_a_report_counts_as_one_that_waits() -> None:
    outbox = Outbox(100, "drop-newest")
    outbox.put(delivery(100))
    for _ in range(3):
        outbox.put(delivery(100))
    assert len(outbox) == 2


def test_what_counts_though_it_does_not_wait_is_in_the_error_too() -> None:
    outbox = Outbox(200)
    outbox.retain(Keeping(100))
    outbox.put(delivery(60))
    with pytest.raises(OutboxFull, match="160 bytes are waiting") as full:
        outbox.put(delivery(60))
    assert full.value.args == (full.value.size, 200)


def test_a_channels_own_policy_comes_before_the_outboxs() -> None:
    outbox = Outbox(100, "disconnect")
    newer = delivery(100, "/b")
    newer.overflow = "drop-oldest"
    outbox.put(delivery(100, "/a"))
    outbox.put(newer)
    assert outbox.take(1_000)[1:] == [newer]


@pytest.mark.parametrize("more", [0, 1])
def test_a_replacement_may_fill_the_outbox_to_the_byte(more: int) -> None:
    outbox = Outbox(300)
    outbox.retain(Keeping(100))
    outbox.put(latest(b"1"))
    outbox.put(delivery(100, "/b"))
    filling = 100 - len(latest(b'""').payload)
    larger = latest(b'"%b"' % (b"x" * (filling + more)))
    if more:
        with pytest.raises(OutboxFull):
            outbox.put(larger)
    else:
        outbox.put(larger)
        assert outbox.size == 200
        assert len(outbox) == 2


def lazily(data: bytes, channel: str) -> Delivery:
    """Return a delivery that is not urgent, of which only the latest counts."""
    return Delivery(channel, Delivery.of_raw(channel, data).payload, latest=True, lazy=5.0)


def test_a_replacement_is_as_urgent_as_what_it_replaces_or_more() -> None:
    outbox, urgent = Outbox(1_000), []
    for each in (lazily(b"1", "/a"), lazily(b"2", "/a"), latest(b"3", "/a"), lazily(b"4", "/a")):
        outbox.put(each)
        urgent.append(outbox.urgent)
    assert urgent == [False, False, True, True]


def test_what_does_not_replace_waits_beside_it() -> None:
    outbox = Outbox(1_000)
    first, second = latest(b"1", "/a"), Delivery.of_raw("/a", b"2")
    outbox.put(first)
    outbox.put(second)
    assert outbox.take(1_000) == [first, second]


def test_what_was_taken_is_not_replaced_any_more() -> None:
    outbox = Outbox(1_000)
    first, second, other = latest(b"1", "/a"), latest(b"2", "/a"), delivery(100, "/b")
    outbox.put(first)
    outbox.put(other)
    assert outbox.take(1) == [first]
    outbox.put(second)
    assert outbox.take(1_000) == [other, second]


@pytest.mark.parametrize("lazy", [None, 5.0])
def test_a_report_is_urgent_unless_what_was_dropped_is_lazy(lazy: float | None) -> None:
    outbox = Outbox(100, "drop-newest")
    outbox.put(Delivery("/a", delivery(100).payload, lazy=5.0))
    outbox.put(Delivery("/a", delivery(100).payload, lazy=lazy))
    assert outbox.urgent is (lazy is None)
    outbox.put(Delivery("/a", delivery(100).payload, lazy=5.0))
    assert outbox.urgent is (lazy is None)


def test_an_outbox_is_idle_until_something_waits_and_again_when_all_was_taken() -> None:
    outbox = Outbox(100, "drop-newest")
    idle = [outbox.idle]
    outbox.put(delivery(100))
    idle.append(outbox.idle)
    taken = outbox.take(100)
    idle.append(outbox.idle)
    outbox.put_back(taken)
    idle.append(outbox.idle)
    outbox.clear()
    idle.append(outbox.idle)
    assert idle == [True, False, True, False, True]


def test_an_outbox_whose_report_waits_is_not_idle() -> None:
    outbox = Outbox(100, "drop-newest")
    outbox.retain(Keeping(100))
    outbox.put(delivery(100))
    assert not outbox.idle


def test_a_channel_in_a_full_report_is_still_counted_by_its_name() -> None:
    outbox = Outbox(100, "drop-newest")
    outbox.put(delivery(100))
    for number in (*range(32), 0, 31, 99):
        outbox.put(delivery(100, f"/{number}"))
    channels = json.loads(outbox.take(1_000)[0].payload)["data"]["channels"]
    assert channels == {f"/{number}": 2 if number in (0, 31) else 1 for number in range(32)}


def test_the_first_array_is_filled_to_the_byte_too_when_more_follows() -> None:
    last = MAX_FRAME - frame_of(8_000, 8_000, 0)
    batches = coalesce([delivery(size) for size in (8_000, 8_000, last, 100)])
    assert [len(batch.payload) for batch in batches] == [MAX_FRAME, 102]


def tiny(number: int) -> Delivery:
    return Delivery.of_raw(f"/{number}", b"1")


@pytest.mark.parametrize(("limit", "most"), [(0x10000, 0x10000 // 320), (10_000, 64)])
def test_so_many_may_wait_however_small_they_are(limit: int, most: int) -> None:
    outbox = Outbox(limit)
    for number in range(most):
        outbox.put(tiny(number))
    for _ in range(2):
        with pytest.raises(OutboxFull, match=f"{most} messages are waiting; the limit is {most}"):
            outbox.put(tiny(0))
    assert len(outbox) == most
    outbox.take(10)
    outbox.put(tiny(most))
    with pytest.raises(OutboxFull):
        outbox.put(tiny(0))
    assert len(outbox.take(limit)) == most
    outbox.put(tiny(0))


@pytest.mark.parametrize(("overflow", "first"), [("drop-oldest", 36), ("drop-newest", 0)])
def test_of_too_many_the_rest_gives_way(overflow: Overflow, first: int) -> None:
    outbox = Outbox(10_000, overflow)
    for number in range(100):
        outbox.put(tiny(number))
    report, *kept = outbox.take(10_000)
    assert json.loads(report.payload)["data"]["count"] == 36
    assert [delivery.channel for delivery in kept] == [f"/{first + number}" for number in range(64)]


def test_what_is_kept_until_it_is_acknowledged_counts_by_number_too() -> None:
    outbox, retention = Outbox(10_000), Keeping(1)
    outbox.retain(retention)
    retention.count = 60
    for number in range(4):
        outbox.put(tiny(number))
    with pytest.raises(OutboxFull, match="64 messages"):
        outbox.put(tiny(0))


@pytest.mark.parametrize("size", [1, 300, 4_000])
@pytest.mark.parametrize("latest", [False, True])
def test_an_outbox_takes_no_more_memory_than_two_and_a_half_times_its_limit(
    size: int, *, latest: bool
) -> None:
    limit, number = 0x80000, 0
    gc.collect()
    tracemalloc.start()
    try:
        outbox, data = Outbox(limit, "drop-newest"), b"1" * size
        while not outbox.put(replace(Delivery.of_raw(f"/{number:0>200}", data), latest=latest)):
            number += 1
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert outbox.size <= limit
    assert kept <= 2.5 * limit
