"""The bodies that cost a parser the most are refused or read, and none takes much memory."""

from __future__ import annotations

import tracemalloc

import pytest

from fuzz.bodies import MIB, bodies, forms
from mirant.bayeux.codec import BodyInvalid, BodyTooLarge, decode
from mirant.transports.forms import values_of


def read(body: bytes) -> int:
    """Return how many messages are read of *body*; 0 if it is refused."""
    try:
        return len(decode(body, max_size=MIB, max_batch=1_000))
    except (BodyInvalid, BodyTooLarge):
        return 0


@pytest.mark.parametrize(("name", "body"), list(bodies()), ids=[name for name, _ in bodies()])
def test_a_body_takes_memory_in_proportion_to_its_size(name: str, body: bytes) -> None:
    assert MIB * 0.9 < len(body) <= MIB
    read(body)  # what is made once is made now
    tracemalloc.start()
    assert read(body) <= 1_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.parametrize(("name", "form"), list(forms()), ids=[name for name, _ in forms()])
def test_a_form_is_read_or_refused(name: str, form: bytes) -> None:
    tracemalloc.start()
    try:
        for value in values_of(form, b"message"):
            assert read(value) <= 1_000
    except BodyInvalid:
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MIB
