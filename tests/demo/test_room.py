"""Names in a room: who gets which, and who may take one over."""

import pytest

from mirant.demo.room import MAX_MEMBERS, MAX_NAME, Room, RoomError, parse_name


def refused(code: str) -> "pytest.RaisesExc[RoomError]":
    """Expect a refusal with *code*."""
    return pytest.raises(RoomError, check=lambda error: error.code == code)


def test_joining_and_leaving() -> None:
    room = Room()
    entry = room.join("s1", "Ann", "u1")
    assert (entry.joined, entry.left) == ("Ann", None)
    room.join("s2", "bob", "u2")
    room.join("s3", "Carol", "u3")
    assert room.names == ["Ann", "bob", "Carol"]
    assert room.leave("s2") is not None
    assert room.leave("s2") is None
    assert room.names == ["Ann", "Carol"]


@pytest.mark.parametrize("name", ["Ann", "ANN", "ann"])
def test_a_name_is_given_once(name: str) -> None:
    room = Room()
    room.join("s1", "Ann", "u1")
    with refused("name_taken"):
        room.join("s2", name, "u2")
    assert room.member_of("s2") is None


def test_the_same_user_takes_the_name_over_without_a_word_to_the_others() -> None:
    room = Room()
    room.join("s1", "Ann", "u1")
    entry = room.join("s2", "Ann", "u1")
    assert (entry.joined, entry.left) == (None, None)
    assert entry.member.user == "u1"
    assert room.member_of("s1") is None
    assert room.names == ["Ann"]
    assert room.leave("s1") is None, "the end of the earlier session is not the end of the member"
    assert room.names == ["Ann"]


def test_joining_again_under_the_same_name_changes_nothing() -> None:
    room = Room()
    room.join("s1", "Ann", "u1")
    entry = room.join("s1", "Ann", "u1")
    assert (entry.joined, entry.left) == (None, None)
    assert room.names == ["Ann"]


def test_joining_under_another_name_frees_the_first() -> None:
    room = Room()
    room.join("s1", "Ann", "u1")
    entry = room.join("s1", "Anna", "u1")
    assert (entry.joined, entry.left) == ("Anna", "Ann")
    room.join("s2", "Ann", "u2")
    assert room.names == ["Ann", "Anna"]


def test_a_refused_change_of_name_leaves_the_member_where_it_is() -> None:
    room = Room()
    room.join("s1", "Ann", "u1")
    room.join("s2", "Bob", "u2")
    with refused("name_taken"):
        room.join("s2", "Ann", "u2")
    assert room.names == ["Ann", "Bob"]


def test_a_room_has_an_end() -> None:
    room = Room()
    for number in range(MAX_MEMBERS):
        room.join(f"s{number}", f"Member {number}", f"u{number}")
    with refused("room_full"):
        room.join("late", "Late", "u")
    room.join("s0", "Renamed", "u0")
    room.leave("s1")
    room.join("late", "Late", "u")
    assert len(room) == MAX_MEMBERS


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee ", "Ann Lee"),
        ("\uff21\uff4e\uff4e", "Ann"),
        ("Ælfgyva", "Ælfgyva"),
        ("e\u0301", "é"),
        ("☄", "☄"),
        ("x" * MAX_NAME, "x" * MAX_NAME),
    ],
)
def test_a_name_is_normalised(given: str, name: str) -> None:
    assert parse_name(given) == name


@pytest.mark.parametrize(
    "given", ["", "  ", "x" * (MAX_NAME + 1), "x" * 1_000_000, "a::b", "a\x00", "a\u202eb", "a\u200bb"]
)
def test_what_cannot_be_a_name(given: str) -> None:
    with refused("name_invalid"):
        parse_name(given)


@pytest.mark.parametrize(
    "invisible",
    [*"\u034f\ufe0f\U000e0100\u115f\u1160\u3164\uffa0\u17b4\u180b\u2800\u00ad\u2060\U000e0041\u200d"],
    ids=ascii,
)
def test_a_name_that_looks_like_another_by_invisible_characters_is_none(invisible: str) -> None:
    for name in (f"Alice{invisible}", f"Al{invisible}ice", invisible):
        with refused("name_invalid"):
            parse_name(name)
