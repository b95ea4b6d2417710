"""A short run of the fuzzer: whatever comes in is accepted, or refused with a documented error.

A long one: ``python -m fuzz.run --seconds 600``.
"""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.inputs import inputs_of
from fuzz.targets import TARGETS

MIB = 1024 * 1024
# What is large is refused at 1 MiB; a second is a hundred times what any of these takes.
MOST_SECONDS = 1.0
MOST_MEMORY = 40 * MIB

#: As large as the bus takes, and as laborious as one can make it.
LABORIOUS = {
    "brackets": b"[" * MIB,
    "brackets and quotes": b'["' * (MIB // 2),
    "pairs of brackets": b"[" + b"[]," * (MIB // 3) + b"1]",
    "backslashes": b'["' + b"\\" * MIB + b'"]',
    "halves of surrogate pairs": b'[{"data":"' + b"\\ud800" * (MIB // 6) + b'"}]',
    "messages": b"[" + b"{}," * (MIB // 3) + b"{}]",
    "fields": b"{" + b",".join(b'"f%d":1' % number for number in range(MIB // 12)) + b"}",
    "one field many times": b"{" + b'"a":1,' * (MIB // 6) + b'"a":1}',
    "digits": b'[{"id":' + b"9" * MIB + b"}]",
    "a name": b'[{"channel":"' + b"/a" * (MIB // 2) + b'"}]',
    "blanks": b" " * MIB,
    "a fraction": b'[{"advice":{"timeout":1.' + b"1" * MIB + b"}}]",
}


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=120)
@given(data=st.data())
def test_input_is_accepted_or_refused_as_documented(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(inputs_of(name)))


@pytest.mark.parametrize("kind", LABORIOUS)
@pytest.mark.parametrize("name", ["body", "frame", "post", "name", "query", "cookie"])
def test_laborious_input_takes_little_time_and_memory(name: str, kind: str) -> None:
    prefix = {"post": b"\0", "query": b"jsonp=cb&message="}.get(name, b"")
    began = time.process_time()
    TARGETS[name](prefix + LABORIOUS[kind])
    assert time.process_time() - began < MOST_SECONDS
    tracemalloc.start()
    try:
        TARGETS[name](prefix + LABORIOUS[kind][: MIB // 4])
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
