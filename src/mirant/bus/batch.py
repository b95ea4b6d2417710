"""Deliveries as JSON arrays: coalesced for the wire, and made once for all who get the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mirant.bayeux.messages import Delivery

# Largest coalesced frame. What is published in one tick travels in one array, but not without limit: an
# uncapped one grew to 8 MB behind a slow reader, and clients refuse large ones (CometD Java 64 KiB).
MAX_FRAME: Final = 32 * 1024


class Batch(msgspec.Struct, gc=False, eq=False):
    """Some deliveries as one JSON array: made once, written to every subscriber that gets just these."""

    deliveries: Sequence[Delivery]
    #: For the host: the form in which it writes this batch (a frame, a string), so that it is made once.
    wire: Any = None
    _payload: bytes | None = None
    _opening: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The JSON array."""
        if self._payload is None:
            deliveries = self.deliveries
            if len(deliveries) == 1:
                self._payload = b"[%b]" % deliveries[0].payload
            else:
                self._payload = b"[%b]" % b",".join([delivery.payload for delivery in deliveries])
        return self._payload

    @property
    def opening(self) -> bytes:
        """The JSON array without its last bracket: more may follow."""
        if self._opening is None:
            self._opening = self.payload[:-1]
        return self._opening


def coalesce(deliveries: Sequence[Delivery]) -> list[Batch]:
    """Return *deliveries* in as few batches as `MAX_FRAME` allows; a larger delivery travels alone."""
    if len(deliveries) == 1:
        return [Batch(deliveries)]
    sizes = [len(delivery.payload) for delivery in deliveries]
    if sum(sizes) + len(sizes) < MAX_FRAME:
        return [Batch(deliveries)]
    ends = array_ends(sizes)
    return [Batch(deliveries[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def array_ends(sizes: Sequence[int]) -> list[int]:
    """Return where to cut items of *sizes* bytes so that each part is a JSON array within `MAX_FRAME`."""
    if len(sizes) == 1:
        return [1]
    ends: list[int] = []
    total = 1  # the opening bracket; each item brings its comma or the closing one
    for index, size in enumerate(sizes):
        total += size + 1
        if total > MAX_FRAME and index > (ends[-1] if ends else 0):
            ends.append(index)
            total = size + 2
    return [*ends, len(sizes)]
