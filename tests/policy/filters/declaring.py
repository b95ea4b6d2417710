"""What the tests of filters share: chains as a file declares them, and JSON as clients spell it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from mirant.policy.filters import Chain, Dropped, read_filters

#: How much Hypothesis tries: fewer examples than elsewhere, because each takes longer.
examples = settings(max_examples=60)

WHERE = ("channel", 2, "filters")


def chain(*declared: object, base: Path = Path()) -> Chain:
    """Return the chain for a file's list of *declared* filters, in which nothing is wrong."""
    filters, faults = read_filters(list(declared), WHERE, base)
    assert faults == []
    assert len(filters) == len(declared)
    return Chain(filters)


def faults_of(*declared: object, base: Path = Path()) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is said about a list of *declared* filters, with the paths below the list."""
    _, faults = read_filters(list(declared), WHERE, base)
    assert all(fault.path[: len(WHERE)] == WHERE for fault in faults)
    return [(fault.path[len(WHERE) :], fault.sentence) for fault in faults]


def fault_of(declared: object, base: Path = Path()) -> tuple[tuple[str | int, ...], str]:
    """Return the one thing that is said about a filter, with its path below the filter."""
    [(path, sentence)] = faults_of(declared, base=base)
    assert path[0] == 0
    return path[1:], sentence


def run(filters: Chain, data: object) -> Any:
    """Return what *filters* leave of *data*."""
    return json.loads(filters(json.dumps(data).encode()))


def reason(call: Callable[[bytes], bytes], data: object) -> str:
    """Return why *data*, a value or JSON as bytes, is dropped."""
    with pytest.raises(Dropped) as caught:
        call(data if isinstance(data, bytes) else json.dumps(data).encode())
    return str(caught.value)


def spelt(raw: bytes) -> Any:
    """Return what *raw* says, with numbers as they are written and the order and number of keys."""
    return json.loads(
        raw,
        parse_int=lambda text: ("number", text),
        parse_float=lambda text: ("number", text),
        object_pairs_hook=lambda pairs: ("object", *pairs),
    )


def left_or_reason(call: Callable[[bytes], bytes], raw: bytes) -> bytes | str:
    """Return what *call* leaves of *raw*, or why it is dropped."""
    try:
        return call(raw)
    except Dropped as dropped:
        return str(dropped)


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
#: Texts full of what filters look for, and any others.
TEXTS = st.text(max_size=8) | st.text(st.sampled_from('<>&;:ltgbscrip/"\\ \u2028é😀'), max_size=12)


def _array(items: list[str]) -> str:
    return f"[{','.join(items)}]"


def _object(fields: dict[str, str]) -> str:
    return f"{{{', '.join(f'{json.dumps(key)}: {value}' for key, value in fields.items())}}}"


#: JSON of any value, as bytes: with blanks, escapes, and numbers that no double holds.
JSON: st.SearchStrategy[bytes] = st.recursive(
    st.sampled_from(["null", "true", "false"])
    | NUMBERS
    | st.builds(json.dumps, TEXTS, ensure_ascii=st.booleans()),
    lambda inner: (
        st.lists(inner, max_size=4).map(_array) | st.dictionaries(TEXTS, inner, max_size=4).map(_object)
    ),
    max_leaves=12,
).map(str.encode)
