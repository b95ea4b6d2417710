"""The intake: payloads from the network to entries in the ledger. The hot path of the generator.

All deliveries of one publish are equal byte for byte. The first is read in full. The others are looked up,
which costs a tenth, so the generator can check more deliveries than it could parse. Over WebSocket whole
payloads repeat. An HTTP answer has the id of its request, but the deliveries in it repeat as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from mirant.bayeux.client_messages import ServerMessage, decode_strictly
from mirant.load.ledger import Expected, Ledger
from mirant.load.messages import BenchmarkData, read_delivery

# Most entries of each table. A server's queues rarely hold more different payloads at a time, and 4,096
# deliveries are what CometD's reference run publishes in four seconds.
_PAYLOADS: Final = 256
_DELIVERIES: Final = 4_096

_NOTHING: Final[Sequence[ServerMessage]] = ()

T = TypeVar("T")

_split = msgspec.json.Decoder(list[Raw]).decode


class Intake:
    """Takes what the clients of one worker receive."""

    def __init__(self, ledger: Ledger) -> None:
        self.payloads = 0  # WebSocket messages or HTTP bodies that had deliveries
        self.failures: Counter[str] = Counter()
        self._ledger = ledger
        self._payloads: dict[bytes, list[Expected]] = {}
        self._deliveries: dict[bytes, Expected] = {}

    @property
    def ledger(self) -> Ledger:
        """The ledger of the current run."""
        return self._ledger

    @ledger.setter
    def ledger(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._payloads.clear()
        self._deliveries.clear()
        self.payloads = 0

    def take(self, client: int, payload: bytes, now: int) -> Sequence[ServerMessage]:
        """Cross off the deliveries in *payload*, which *client* received at *now*; return the replies."""
        known = self._payloads.get(payload)
        if known is None:
            return self._read(client, payload, now)
        self.payloads += 1
        self._ledger.arrived(client, known, now)
        return _NOTHING

    def _read(self, client: int, payload: bytes, now: int) -> Sequence[ServerMessage]:
        known: list[Expected] = []
        replies: list[ServerMessage] = []
        delivers = False  # whether anything was read in full
        try:
            parts = _split(payload)
            for part in parts:
                text = bytes(part)
                expected = self._deliveries.get(text)
                if expected is None:
                    # Most replies are told apart without a call.
                    delivery = read_delivery(text) if b'"data"' in text else None
                    if delivery is None and not (message := decode_strictly(text)).data:
                        replies.append(message)
                        continue
                    delivers = True
                    if delivery is None:
                        self._ledger.stray(client, f"data on {message.channel} that this run did not publish")
                        continue
                    expected = self._identify(client, delivery.channel, delivery.data)
                    if expected is None:
                        continue
                    _remember(self._deliveries, text, expected, _DELIVERIES)
                known.append(expected)
        except ValueError as error:
            self.failures[f"received what is not Bayeux: {error}"] += 1
            return _NOTHING
        if delivers or known:
            self._cross_off(client, payload, known, now, whole=len(known) == len(parts))
        return replies

    def _cross_off(
        self, client: int, payload: bytes, known: list[Expected], now: int, *, whole: bool
    ) -> None:
        """Cross *known* off; if they are the *whole* payload, others like it are known from now on."""
        self.payloads += 1
        self._ledger.arrived(client, known, now)
        if whole:
            _remember(self._payloads, payload, known, _PAYLOADS)

    def _identify(self, client: int, channel: str, data: BenchmarkData) -> Expected | None:
        """Return the ledger's entry for a delivery. If there is none, note a fault there and return None."""
        ledger, number = self._ledger, data.number
        expected = ledger.find(number)
        if expected is not None:
            return None if ledger.is_altered(client, channel, data, expected) else expected
        if ledger.is_complete(number):
            ledger.not_owed(client, number, data.room)
        elif not ledger.is_earlier(number):
            ledger.stray(client, f"message {data.msg_id!r}, which is not of this run")
        return None


def _remember(table: dict[bytes, T], text: bytes, meaning: T, most: int) -> None:
    if len(table) >= most:
        table.clear()
    table[text] = meaning
