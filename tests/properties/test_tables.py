"""Laws of the core's tables, each against a model that is slow and obvious."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.channels import Channel, Pattern
from mirant.bayeux.messages import Delivery
from mirant.bus.batch import MAX_FRAME, coalesce
from mirant.bus.deadlines import GRANULARITY, Deadlines
from mirant.bus.outbox import Outbox, OutboxFull
from mirant.bus.subscriptions import Subscriptions
from tests.properties.names import CLOSE_NAMES, CLOSE_PATTERNS, matches

CHANGES = st.tuples(
    st.sampled_from(["add", "remove", "match"]), st.integers(0, 4), CLOSE_PATTERNS, CLOSE_NAMES
)


@given(st.lists(CHANGES, max_size=60))
def test_subscribers_are_those_with_a_pattern_that_matches(changes: list[tuple[str, int, str, str]]) -> None:
    index: Subscriptions[int] = Subscriptions()
    model: set[tuple[int, str]] = set()
    for action, subscriber, pattern, name in changes:
        if action == "add":
            index.add(subscriber, Pattern.parse(pattern))
            model.add((subscriber, pattern))
        elif action == "remove":
            index.remove(subscriber, Pattern.parse(pattern))
            model.discard((subscriber, pattern))
        found = index.match(Channel.parse(name))
        assert len(set(found)) == len(found)
        assert set(found) == {who for who, what in model if matches(what, name)}
        assert len(index) == len({what for _, what in model})


STEPS = st.tuples(st.sampled_from(["put", "take", "put_back", "clear"]), st.integers(1, 400))


@given(st.lists(STEPS, max_size=60), st.integers(50, 1_000))
def test_an_outbox_is_a_queue_that_knows_its_size(steps: list[tuple[str, int]], limit: int) -> None:
    outbox, model, taken = Outbox(limit), list[Delivery](), list[Delivery]()
    for action, size in steps:
        if action == "put":
            delivery = Delivery("/a", b"x" * size)
            fits = not model or sum(len(each.payload) for each in model) + size <= limit
            try:
                outbox.put(delivery)
            except OutboxFull:
                assert not fits
            else:
                assert fits
                model.append(delivery)
        elif action == "take":
            taken = outbox.take(size)
            assert bool(taken) is bool(model)
            assert len(taken) <= 1 or sum(len(each.payload) for each in taken) <= size
            assert taken == model[: len(taken)]
            del model[: len(taken)]
        elif action == "put_back":
            outbox.put_back(taken)
            model[:0], taken = taken, []
        else:
            outbox.clear()
            model, taken = [], []
        assert len(outbox) == len(model)
        assert outbox.size == sum(len(each.payload) for each in model)


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=30))
def test_coalescing_keeps_order_and_cap_and_wastes_no_frame(sizes: list[int]) -> None:
    deliveries = [Delivery("/a", b"x" * size) for size in sizes]
    batches = coalesce(deliveries)
    assert [each for batch in batches for each in batch.deliveries] == deliveries
    for batch in batches:
        assert len(batch.payload) <= MAX_FRAME or len(batch.deliveries) == 1
    for batch, following in pairwise(batches):
        assert len(batch.payload) + 1 + len(following.deliveries[0].payload) > MAX_FRAME


class Entry:
    def __init__(self) -> None:
        self.deadline = 0.0
        self.bucket: int | None = None


MOVES = st.tuples(
    st.sampled_from(["set", "remove", "due"]),
    st.integers(0, 3),
    st.floats(0, 3)
    | st.integers(0, 60).map(lambda n: n * GRANULARITY)
    | st.integers(0, 60).map(lambda n: n / 20),
)


@given(st.lists(MOVES, max_size=60))
def test_an_entry_is_due_at_its_last_deadline_at_most_one_granule_late(
    moves: list[tuple[str, int, float]],
) -> None:
    deadlines: Deadlines[Entry] = Deadlines()
    entries = [Entry() for _ in range(4)]
    waiting: dict[Entry, float] = {}
    now = 0.0
    for action, number, value in moves:
        entry = entries[number]
        if action == "set":
            deadlines.set(entry, now + value)
            waiting[entry] = now + value
        elif action == "remove":
            deadlines.remove(entry)
            waiting.pop(entry, None)
        else:
            now += value / 4
            found = deadlines.due(now)
            assert all(waiting.pop(each) <= now for each in found)
            assert all(deadline > now - GRANULARITY - 1e-9 for deadline in waiting.values())
        upcoming = deadlines.next()
        assert (upcoming is None) is (not waiting)
        if upcoming is not None:
            # A deadline that moved later may be looked at early; one is never looked at late.
            assert upcoming <= min(waiting.values()) + GRANULARITY + 1e-9
