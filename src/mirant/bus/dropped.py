"""What is told a client of messages for it that were dropped: how many, and of which channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from mirant.bayeux.messages import Delivery

#: Where a client is told that messages for it were dropped: ``{"count": n, "channels": {name: n}}``.
DROPPED: Final = "/service/mirant/dropped"

# Most channels named in such a report; the count is of all.
_MAX_REPORTED: Final = 32


def count_dropped(dropped: dict[str, int], channel: str, count: int) -> None:
    """Add *count* messages of *channel* to *dropped*; those of further channels have no name there."""
    known = channel in dropped or len(dropped) < _MAX_REPORTED
    name = channel if known else ""
    dropped[name] = dropped.get(name, 0) + count


def report_of(dropped: Mapping[str, int]) -> Delivery:
    """Return the delivery that says what was *dropped*."""
    named = {name: count for name, count in dropped.items() if name}
    facts = {"count": sum(dropped.values()), "channels": named, "reason": "outbox-full"}
    return Delivery.of_raw(DROPPED, msgspec.json.encode(facts))
