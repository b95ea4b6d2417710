"""Quoting values: short, printable, and possible for any value."""

from __future__ import annotations

import pytest

from mirant.options.declaring import Fault
from mirant.options.quoting import MAX_QUOTED, printable, spell

HUGE = int("f" * 6_000, 16)  # Python converts no integer of so many decimal digits


@pytest.mark.parametrize(
    ("value", "spelt"),
    [
        ("it's", '"it\'s"'),
        (["a", 1], "['a', 1]"),
        (HUGE, "0x" + "f" * (MAX_QUOTED - 2) + "…"),
        (-HUGE, "-0x" + "f" * (MAX_QUOTED - 3) + "…"),
        ([HUGE], "this"),
        ({"a": HUGE}, "this"),
        ("x" * 1_000, "'" + "x" * (MAX_QUOTED - 1) + "…"),
        ("\ud800\n", r"'\ud800\n'"),
    ],
    ids=range(8),
)
def test_any_value_can_be_quoted(value: object, spelt: str) -> None:
    assert spell(value) == spelt


def test_half_a_surrogate_becomes_an_escape() -> None:
    assert printable("a\ud800é") == r"a\ud800é"
    assert str(Fault(("\ud800",), "\udfff")) == r'"\ud800": \udfff'
