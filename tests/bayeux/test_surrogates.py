r"""Halves of surrogate pairs, such as ``\ud83d`` alone."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.bayeux.surrogates import mend_surrogates


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (rb"\ud83d\ude00", rb"\ud83d\ude00"),
        (rb"\uD83D\uDE00", rb"\uD83D\uDE00"),
        (rb"\ud83d", rb"\ufffd"),
        (rb"\ude00", rb"\ufffd"),
        (rb"\ud83d\ud83d\ude00", rb"\ufffd\ud83d\ude00"),
        (rb"\ud83d\ude00\ude00", rb"\ud83d\ude00\ufffd"),
        (rb"\ude00\ud83d", rb"\ufffd\ufffd"),
        (rb"\ud83d\u0041", rb"\ufffd\u0041"),
        (rb"\\ud83d", rb"\\ud83d"),
        (rb"\\\ud83d", rb"\\\ufffd"),
        (rb"\\\\ud83d", rb"\\\\ud83d"),
        (rb"\ud83d\\ude00", rb"\ufffd\\ude00"),
        (rb"\ud83", rb"\ud83"),
    ],
)
def test_a_half_is_replaced_and_a_pair_stays(text: bytes, mended: bytes) -> None:
    assert mend_surrogates(b'"%b"' % text) == b'"%b"' % mended


@given(st.lists(st.sampled_from([r"\ud83d", r"\uDE00", r"\\", r"\"", "u", "d83d", r"\u0041", "é"])))
def test_what_is_mended_is_what_a_lenient_parser_reads_with_the_halves_replaced(parts: list[str]) -> None:
    text = f'"{"".join(parts)}"'
    lenient = json.loads(text)  # Python's parser joins pairs and keeps the halves
    assert json.loads(mend_surrogates(text.encode())) == re.sub("[\ud800-\udfff]", "\ufffd", lenient)


def test_a_body_with_the_byte_that_no_json_has_stays_as_it_is() -> None:
    assert mend_surrogates(b'"\x01\x01\\ud83d"') == b'"\x01\x01\\ud83d"'
