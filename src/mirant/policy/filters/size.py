"""``size``: a limit for the bytes of a message's data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.values import SettingsError, read_size
from mirant.policy.filters.contract import Dropped, FilterInvalid
from mirant.policy.filters.exact import encode


@dataclass(frozen=True, slots=True)
class Size:
    """Drops a message whose data, as JSON, has more than `limit` bytes at this place in the chain."""

    name: str
    limit: int

    def __call__(self, data: Any) -> Any:
        self.check(encode(data))
        return data

    def check(self, raw: bytes) -> None:
        """Raise `Dropped` if the JSON text *raw* is too long."""
        if len(raw) > self.limit:
            raise Dropped("too_large")


def read(value: object, where: KeyPath, base: Path) -> Size:
    """Return the filter of ``{ size = "2KiB" }``."""
    try:
        limit = read_size(value)
    except SettingsError as error:
        raise FilterInvalid(Fault(where, f"size = {spell(value)} should be {error}")) from None
    return Size(f"size {value}", limit)
