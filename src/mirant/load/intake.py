"""The intake: payloads from the network to entries in the ledger. The hot path of the generator.

A publish reaches a room as many payloads that are the same byte for byte. Each is read in full once; its
copies are recognized, which costs a tenth. So the generator can check more deliveries than it could parse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from mirant.load.ledger import Expected, Ledger
from mirant.load.messages import Chat, Incoming, decode

_REMEMBERED: Final = 256  # payloads; in a server's queues there are rarely more different ones at a time

_NOTHING: Final[Sequence[Incoming]] = ()


class Intake:
    """Takes what the clients of one worker receive; `ledger` is that of the current run."""

    def __init__(self, ledger: Ledger) -> None:
        self.payloads = 0  # WebSocket messages or HTTP bodies that had deliveries
        self.failures: Counter[str] = Counter()
        self._ledger = ledger
        self._seen: dict[bytes, list[Expected]] = {}

    @property
    def ledger(self) -> Ledger:
        """The ledger of the current run."""
        return self._ledger

    @ledger.setter
    def ledger(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._seen.clear()
        self.payloads = 0

    def take(self, client: int, payload: bytes, now: int) -> Sequence[Incoming]:
        """Cross off the deliveries in *payload*, which *client* received at *now*; return the replies."""
        seen = self._seen.get(payload)
        if seen is None:
            return self._read(client, payload, now)
        self.payloads += 1
        self._ledger.arrived(client, seen, now)
        return _NOTHING

    def _read(self, client: int, payload: bytes, now: int) -> Sequence[Incoming]:
        try:
            messages = decode(payload)
        except ValueError as error:
            self.failures[f"received what is not Bayeux: {error}"] += 1
            return _NOTHING
        replies = [message for message in messages if not _is_delivery(message)]
        deliveries = [message for message in messages if _is_delivery(message)]
        known = [found for message in deliveries if (found := self._identify(client, message)) is not None]
        if deliveries:
            self.payloads += 1
            self._ledger.arrived(client, known, now)
            if len(known) == len(messages):
                self._remember(payload, known)
        return replies

    def _identify(self, client: int, message: Incoming) -> Expected | None:
        """Return what *message* is; None if it is not in the ledger, which is noted there."""
        ledger, chat = self._ledger, message.data
        if not isinstance(chat, Chat):
            ledger.stray(client, f"data on {message.channel} that this run did not publish")
            return None
        number = chat.number
        expected = ledger.find(number)
        if expected is not None:
            return None if ledger.is_altered(client, message.channel, chat, expected) else expected
        if ledger.is_complete(number):
            ledger.not_owed(client, number, chat.room)
        elif not ledger.is_earlier(number):
            ledger.stray(client, f"message {chat.msg_id!r}, which is not of this run")
        return None

    def _remember(self, payload: bytes, known: list[Expected]) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[payload] = known


def _is_delivery(message: Incoming) -> bool:
    return bool(message.data) if not isinstance(message.data, Chat) else True
