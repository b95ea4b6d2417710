"""Which known word is suggested for an unknown one."""

import pytest

from mirant.options.spelling import nearest

KNOWN = ("max_body", "max_batch", "timeout", "long-polling")


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("timout", "timeout"),
        ("TIMEOUT", "timeout"),
        ("max-body", "max_body"),
        ("long_poling", "long-polling"),
        ("max_bach", "max_batch"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_spelling_in_any_case(word: str, found: str | None) -> None:
    assert nearest(word, KNOWN) == found


def test_how_near_it_must_be() -> None:
    assert nearest("time", KNOWN, cutoff=0.7) == "timeout"
    assert nearest("time", KNOWN, cutoff=0.8) is None
