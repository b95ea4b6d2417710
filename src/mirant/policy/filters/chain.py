"""A chain: the filters of a channel, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mirant.policy.filters.contract import Dropped, Filter
from mirant.policy.filters.exact import decode, encode
from mirant.policy.filters.size import Size
from mirant.policy.filters.values import has_many_values

_UNREAD: Final = object()


class Chain:
    """Runs filters over the JSON of a message's `data`, in their order."""

    __slots__ = ("filters",)

    def __init__(self, filters: Iterable[Filter]) -> None:
        self.filters = tuple(filters)

    @property
    def allowance(self) -> int:
        """The bytes of a message that a filter of the chain allows by name; 0 if none does."""
        return max((each.limit for each in self.filters if isinstance(each, Size)), default=0)

    def __eq__(self, other: object) -> bool:
        """Whether *other* does the same: what was kept after one of them may be given out under the other."""
        return isinstance(other, Chain) and self.filters == other.filters

    def __hash__(self) -> int:
        return hash(self.filters)

    def __call__(self, raw: bytes) -> bytes:
        """Return the JSON that the filters make of *raw*: the same object if none changed anything.

        Raises:
            Dropped: a filter refuses the message, *raw* has very many values or is not JSON, or an object in
                it has a key twice.
        """
        try:
            return self._run(raw)
        except RecursionError:  # a client's data is never that deep, but the application's may be
            raise Dropped("too_deep") from None

    def _run(self, raw: bytes) -> bytes:
        original: Any = _UNREAD
        data: Any = _UNREAD
        for each in self.filters:
            if data is original and isinstance(each, Size):
                each.check(raw)  # with its blanks, because unchanged data leaves as it came
                continue
            if original is _UNREAD:
                if has_many_values(raw):
                    raise Dropped("too_many_values")
                original = data = decode(raw)
            data = each(data)
        return raw if data is original else encode(data)
