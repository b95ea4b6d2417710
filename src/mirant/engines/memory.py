"""The engine of one process: everything is in memory and happens at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from mirant.bayeux.channels import Channel, Pattern
from mirant.bus.contracts import HistoryPage, Node, Position, Published
from mirant.bus.record import SessionRecord
from mirant.engines.history import History
from mirant.options.settings import Settings


def _to_nobody(position: Position, item: Published) -> int:
    return 0


class MemoryEngine:
    """A `mirant.bus.contracts.Engine` that never waits. What it knows ends with the process.

    The only process knows its members and its records, so they are not kept a second time.
    """

    __slots__ = ("_arrived", "_epoch", "_history", "_node", "_top")

    def __init__(self, settings: Settings) -> None:
        self._node: Node | None = None
        self._arrived: Callable[[Position, Published], int] = _to_nobody
        self._epoch = secrets.token_hex(8)
        self._top = 0
        self._history = History(settings.max_history)

    @property
    def epoch(self) -> str:
        return self._epoch

    def join(self, node: Node) -> None:
        self._node = node
        self._arrived = node.arrived

    def configure(self, settings: Settings) -> None:
        self._history.restrict(settings.max_history)

    def append(self, item: Published) -> int:
        self._top = position = self._top + 1
        if item.history:
            self._history.keep(item.channel, item.delivery, item.history, position)
        return self._arrived(position, item)

    def history(self, channel: Channel, *, since: Position | None = None, last: int) -> HistoryPage:
        items, complete = self._history.since(channel, since or 0)
        top = items[-1][0] if items else self._history.top(channel)
        return HistoryPage(items[-last:] if last > 0 else [], self._epoch, top, complete)

    def forget(self, keeps: Callable[[Channel], int]) -> None:
        self._history.trim(keeps)

    def members(self, pattern: Pattern) -> int:
        return 0 if self._node is None else self._node.local_members(pattern)

    def keep(self, record: SessionRecord) -> None:
        """Nothing to do."""

    def record(self, session_id: str) -> SessionRecord | None:
        return None if self._node is None else self._node.local_record(session_id)

    def drop(self, session_id: str) -> None:
        """Nothing to do."""
