"""The messages that the generator publishes, and how it recognises them."""

from __future__ import annotations

from typing import Final

import msgspec

from mirant.load.scenario import Scenario
from mirant.load.schedule import PublishBatch

_encode = msgspec.json.Encoder().encode

#: The first character of a publish's id. The rest is the message's number.
PUBLISH_ID: Final = "p"


class BenchmarkData(msgspec.Struct, forbid_unknown_fields=True):
    """The `data` of a message. It has the fields, and so the size, of CometD's benchmark."""

    room: int
    user: int
    chat: str
    start: int  # when it was due, in nanoseconds
    msg_id: str  # its number, a slash and the channel

    @property
    def number(self) -> int:
        """The number of the message; 0 if it has none."""
        digits = self.msg_id.partition("/")[0]
        return int(digits) if digits.isdecimal() else 0


def benchmark_data(scenario: Scenario, number: int, publisher: int, room: int, due: int) -> BenchmarkData:
    """Return the `data` of message *number*, which was *due* at that microsecond."""
    text = "x" * scenario.message_size
    return BenchmarkData(room, publisher, text, due * 1_000, f"{number}{scenario.channel}")


class BenchmarkDelivery(msgspec.Struct):
    """A delivery of what a generator published."""

    data: BenchmarkData
    channel: str = ""


def read_delivery(text: bytes) -> BenchmarkDelivery | None:
    """Return the delivery in *text*; None if it is another message, or not one at all."""
    try:
        return _decode_delivery(text)
    except ValueError:
        return None


_decode_delivery = msgspec.json.Decoder(BenchmarkDelivery).decode


class Publisher:
    """Makes the messages of batches."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._channels = [scenario.room_name(room) for room in range(scenario.rooms)]

    def messages(self, batch: PublishBatch, client_id: str) -> list[bytes]:
        """Return the publishes of *batch* from the session *client_id*."""
        return [
            _encode(
                {
                    "channel": self._channels[room],
                    "id": f"{PUBLISH_ID}{number}",
                    "clientId": client_id,
                    "data": benchmark_data(self._scenario, number, batch.publisher, room, batch.due),
                }
            )
            for number, room in enumerate(batch.rooms, batch.first)
        ]
