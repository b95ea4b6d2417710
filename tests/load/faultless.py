"""A run as a faultless server has it, for tests that then spoil it."""

import json
from collections.abc import Iterator

from mirant.load.intake import Intake
from mirant.load.ledger import Ledger
from mirant.load.messages import Publisher
from mirant.load.scenario import Scenario, Share
from mirant.load.schedule import Pace, Schedule, batches

SCENARIO = Scenario(clients=6, rooms=4, rooms_per_client=2, batch_size=5, message_size=20)
PACE = Pace(start=0, pause=1_000, batches=8, warm_up=4_000)
ALL = Share(0, 1)


def ledger_of(share: Share = ALL, pace: Pace = PACE) -> Ledger:
    """Make a ledger that has entered nothing yet."""
    return Ledger(SCENARIO, share, Schedule(SCENARIO, pace))


def deliveries(pace: Pace = PACE) -> Iterator[tuple[int, int, bytes]]:
    """Yield (receiver, when it was due, payload) for each delivery of a run, as a faultless server has it."""
    publisher = Publisher(SCENARIO)
    for batch in batches(SCENARIO, pace):
        for message, room in zip(publisher.messages(batch, "c"), batch.rooms, strict=True):
            for client in sorted(SCENARIO.members[room]):
                yield client, batch.due, b"[" + delivered(message) + b"]"


def delivered(message: bytes) -> bytes:
    """Return what receivers see of a published *message*."""
    fields = json.loads(message)
    return json.dumps({"channel": fields["channel"], "data": fields["data"]}).encode()


def play(intake: Intake, played: list[tuple[int, int, bytes]], latency: int = 300) -> None:
    """Let everything arrive *latency* after it was due, then some time pass."""
    for client, due, payload in played:
        assert list(intake.take(client, payload, due + latency)) == []
    intake.ledger.advance(PACE.end + 1_000_000)
