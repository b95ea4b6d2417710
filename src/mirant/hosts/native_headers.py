"""The headers of a request: as they came, by name, and packed for a connection that stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: Names as they were spelt.
RawHeaders = list[tuple[bytes, bytes]]


def as_mapping(headers: RawHeaders) -> dict[str, str]:
    """Return *headers* by their names in lower case, repeated ones joined."""
    mapping: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in mapping:
            # RFC 6265, section 5.4, and RFC 9110, section 5.3
            value = f"{mapping[name]}{'; ' if name == 'cookie' else ', '}{value}"
        mapping[name] = value
    return mapping


class PackedHeaders(Mapping[str, str]):
    """The same as one piece of bytes: a quarter of a dict's memory, for headers that few will ask for."""

    __slots__ = ("_packed",)

    def __init__(self, headers: RawHeaders) -> None:
        """Pack *headers*; no part of them has a line break, which the parser saw to."""
        self._packed = b"\n".join(b"%b:%b" % pair for pair in headers)

    def _unpack(self) -> dict[str, str]:
        pairs = [line.split(b":", 1) for line in self._packed.split(b"\n") if line]
        return as_mapping([(name, value) for name, value in pairs])

    def __getitem__(self, name: str) -> str:
        return self._unpack()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._unpack())

    def __len__(self) -> int:
        return len(self._unpack())
