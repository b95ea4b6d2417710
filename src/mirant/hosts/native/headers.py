"""The headers of a request as they came, and packed for a connection that stays."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from mirant.bus.request import Request
from mirant.hosts.headers import as_mapping

#: Names as they were spelt.
RawHeaders = list[tuple[bytes, bytes]]


class PackedHeaders(Mapping[str, str]):
    """Headers by name, as one piece of bytes: a quarter of a dict's memory. Few applications read them."""

    __slots__ = ("_packed",)

    def __init__(self, headers: RawHeaders, seen: Container[str] | None = None) -> None:
        """Pack *headers*, or those whose names are *seen*; the parser has refused line breaks in them."""
        if seen is not None:
            headers = [pair for pair in headers if pair[0].decode("latin-1").lower() in seen]
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


def packed(request: Request, most: int) -> Request:
    """Return *request* with its headers packed: the first of them that take at most *most* bytes."""
    kept: RawHeaders = []
    for name, value in request.headers.items():
        if len(name) + len(value) <= most:
            most -= len(name) + len(value)
            kept.append((name.encode("latin-1"), value.encode("latin-1")))
    return replace(request, headers=PackedHeaders(kept), query=request.query[:most])
