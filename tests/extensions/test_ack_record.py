"""What an `AckRecord` keeps, sends again and reports, and what it leaves to other extensions."""

from __future__ import annotations

import pytest

from mirant.bayeux.messages import Delivery, Message, Reply
from mirant.bus.extension import Extension
from mirant.bus.turn import Turn
from mirant.extensions.ack import Ack, AckRecord
from mirant.testing import World


def delivery(size: int) -> Delivery:
    empty = len(Delivery.of_raw("/a", b'""').payload)
    return Delivery.of_raw("/a", b'"%b"' % (b"x" * (size - empty)))


def due(*sizes: int) -> tuple[AckRecord, list[Delivery]]:
    """Return a record with deliveries of these *sizes* that are to leave again."""
    record, deliveries = AckRecord(), [delivery(size) for size in sizes]
    record.begin_answer()
    record.left(deliveries, None)
    record.acknowledge(None)
    record.begin_answer()
    return record, deliveries


@pytest.mark.parametrize(
    ("sizes", "most", "count"),
    [
        ((100, 100), 50, 1),
        ((100, 100), 100, 1),
        ((100, 100), 199, 1),
        ((100, 100), 200, 2),
        ((100, 100), 201, 2),
        ((50, 500, 50), 100, 1),
    ],
)
def test_as_many_leave_again_as_there_is_room_for_and_at_least_one(
    sizes: tuple[int, ...], most: int, count: int
) -> None:
    record, deliveries = due(*sizes)
    assert record.again(most) == deliveries[:count]
    assert record.due == len(sizes) - count
    assert record.reserved == sum(sizes)


def test_a_report_is_repeated_until_its_answer_was_seen() -> None:
    record = AckRecord()
    record.begin_answer()
    record.left([], {"/a": 2})
    assert record.acknowledge(None) == {"/a": 2}
    assert record.acknowledge(None) == {}
    record.begin_answer()
    record.left([], {"/a": 3})
    record.begin_answer()
    record.left([], {"/a": 1, "/b": 1})
    assert record.acknowledge(2) == {"/a": 1, "/b": 1}
    record.begin_answer()
    record.left([], {"/c": 1})
    assert record.acknowledge(4) == {}


class Signing(Extension):
    """Signs all replies."""

    def outgoing(self, reply: Reply, message: Message, turn: Turn, now: float) -> None:
        reply.ext = {"signed": True}


def test_what_another_extension_said_in_a_reply_stays() -> None:
    client = World().use(Signing(), Ack()).polling()
    assert client.handshake(ext={"ack": True})["ext"] == {"signed": True, "ack": True}
    assert client.connect(ext={"ack": 0}).reply["ext"] == {"signed": True, "ack": 1}


def test_the_wish_is_heard_in_a_handshake_only() -> None:
    client = World().use(Ack()).polling().enter()
    assert "ext" not in client.publish("/a", 1, ext={"ack": True})
    assert client.session.negotiated("ack") is None
