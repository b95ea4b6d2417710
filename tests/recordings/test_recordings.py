"""Mirant answers as the reference server did, field by field, but for the differences that are listed."""

from functools import cache
from typing import Any

import pytest

from tests.recordings.differences import DIFFERENCES, Change, apply
from tests.recordings.replay import FILES, Outcome, load, replay, steps

RECORDED = {(recording, step["name"]): step["expect"] for recording, step in steps()}
CHANGES: dict[tuple[str, str], list[Change]] = {}
for difference in DIFFERENCES:
    for place, change in difference.changes.items():
        CHANGES.setdefault(place, []).append(change)


@cache
def outcomes(recording: str) -> dict[str, Outcome]:
    """Return what Mirant answered to all of *recording*."""
    return replay(load(f"{recording}.json"))


@pytest.mark.parametrize("place", RECORDED, ids=": ".join)
def test_the_outcome_is_the_recorded_one(place: tuple[str, str]) -> None:
    expected: Any = RECORDED[place]
    for change in CHANGES.get(place, []):
        assert apply(expected, change) != expected, "this is listed as a difference, and is none"
        expected = apply(expected, change)
    recording, step = place
    assert outcomes(recording)[step] == expected


def test_every_listed_difference_has_its_place() -> None:
    assert set(CHANGES) <= set(RECORDED)


@pytest.mark.parametrize("file", FILES)
def test_steps_have_names_of_their_own(file: str) -> None:
    names = [step["name"] for step in load(file)["steps"]]
    assert len(names) == len(set(names))


def test_there_are_recordings() -> None:
    assert len(FILES) == 6
    assert len(RECORDED) > 180
