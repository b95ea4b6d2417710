"""Bodies of 1 MiB that cost a parser as much as can be: one of each kind, to be measured and to be tried."""

from __future__ import annotations

from collections.abc import Iterator

MIB = 1024 * 1024


def filled(unit: bytes, left: bytes = b"", right: bytes = b"", between: bytes = b"") -> bytes:
    """Return 1 MiB at most of *unit* again and again, with *between*, from *left* to *right*."""
    count = (MIB - len(left) - len(right)) // (len(unit) + len(between))
    return left + between.join([unit] * count) + right


def listed(unit: bytes, left: bytes = b"[", right: bytes = b"]") -> bytes:
    """Return 1 MiB at most of *unit*, with commas."""
    return filled(unit, left, right, b",")


def keyed(left: bytes, right: bytes) -> bytes:
    """Return 1 MiB at most of fields with other names each."""
    fields: list[bytes] = []
    left_over = MIB - len(left) - len(right)
    for number in range(MIB):
        field = b'"%x":0' % number
        left_over -= len(field) + 1
        if left_over < 0:
            break
        fields.append(field)
    return left + b",".join(fields) + right


def bodies() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the JSON, or what claims to be JSON, of each kind."""
    text, end = b'[{"channel":"/a","data":"', b'"}]'
    data, close = b'[{"channel":"/a","data":[', b"]}]"
    for unit in (b'{"":0}', b"{}", b'{"channel":"/a"}', b"[]", b"0", b'""', b'{"\\ud800":0}'):
        yield f"an array of {unit.decode()}", listed(unit)
    for unit in (b"[]", b"{}", b'""', b"0"):
        yield f"data of {unit.decode()}", listed(unit, data, close)
    for unit in (rb"\ud800", rb"\ud83d\ude00", rb"\n", rb"\\", rb"\u0041"):
        yield f"half a pair and {unit.decode()}", filled(unit, text + rb"\ud800", end)
    for unit in (b'"":0', b'"data":0', b'"ext":{"a":1}'):
        yield f"one message of {unit.decode()}", listed(unit, b"[{", b"}]")
    for name in ("ext", "advice", "data"):
        yield f"fields of {name}", keyed(b'[{"channel":"/a","%b":{' % name.encode(), b"}}]")
    yield "fields of a message", keyed(b"[{", b"}]")
    yield "nested", filled(b"[" * 98 + b"]" * 98, data, close, b",")
    yield "deep", b"[" * (MIB // 2) + b"]" * (MIB // 2)
    for char in (b"[", b"{", b'"', b" ", b",", b"\\", b"\xff", b"\xef\xbb\xbf", b"\x00"):
        yield f"only {char!r}", filled(char)
    for value in (b"9" * (MIB - 20), b"1." + b"9" * (MIB - 20), b"1e" + b"9" * (MIB - 20)):
        yield f"an id {value[:3].decode()}…", b'[{"id":%b}]' % value
    yield "an unfinished text", text + b"a" * (MIB - len(text))


def forms() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each kind of form."""
    for unit in (b"%41", b"%", b"%zz", b"+", b"=", b"&", b"[", b"%ff", b"%7b%7d%2c", b";"):
        yield f"a form of {unit.decode()}", filled(unit, b"message=")
    yield "a form of messages", filled(b'{"":0},', b"message=[", b"{}]")
    yield "99 messages in a form", b"&".join([b"message=" + b"%7b%7d" * 1_750] * 99)
