"""Names in a room: who gets which, and who may take one over."""

import pytest

from mirant.demo.room import MAX_MEMBERS, MAX_NAME, Room, RoomError, parse_name


def refused(code: str) -> "pytest.RaisesExc[RoomError]":
    """Expect a refusal with *code*."""
    return pytest.raises(RoomError, check=lambda error: error.code == code)


def test_joining_and_leaving() -> None:
    room = Room()
    entry = room.join("s1", "Ann", None)
    assert (entry.joined, entry.left) == ("Ann", None)
    room.join("s2", "bob", None)
    room.join("s3", "Carol", None)
    assert room.names == ["Ann", "bob", "Carol"]
    assert room.leave("s2") is not None
    assert room.leave("s2") is None
    assert room.names == ["Ann", "Carol"]


@pytest.mark.parametrize("name", ["Ann", "ANN", "ann"])
def test_a_name_is_given_once(name: str) -> None:
    room = Room()
    room.join("s1", "Ann", None)
    with refused("name_taken"):
        room.join("s2", name, None)
    with refused("name_taken"):
        room.join("s2", name, "not the token")
    assert room.member_of("s2") is None


def test_the_token_takes_the_name_over_without_a_word_to_the_others() -> None:
    room = Room()
    first = room.join("s1", "Ann", None).member
    entry = room.join("s2", "Ann", first.token)
    assert (entry.joined, entry.left) == (None, None)
    assert entry.member.token == first.token
    assert room.member_of("s1") is None
    assert room.names == ["Ann"]
    assert room.leave("s1") is None, "the end of the earlier session is not the end of the member"
    assert room.names == ["Ann"]


def test_joining_again_under_the_same_name_changes_nothing() -> None:
    room = Room()
    room.join("s1", "Ann", None)
    entry = room.join("s1", "Ann", None)
    assert (entry.joined, entry.left) == (None, None)
    assert room.names == ["Ann"]


def test_joining_under_another_name_frees_the_first() -> None:
    room = Room()
    room.join("s1", "Ann", None)
    entry = room.join("s1", "Anna", None)
    assert (entry.joined, entry.left) == ("Anna", "Ann")
    room.join("s2", "Ann", None)
    assert room.names == ["Ann", "Anna"]


def test_a_refused_change_of_name_leaves_the_member_where_it_is() -> None:
    room = Room()
    room.join("s1", "Ann", None)
    room.join("s2", "Bob", None)
    with refused("name_taken"):
        room.join("s2", "Ann", None)
    assert room.names == ["Ann", "Bob"]


def test_a_room_has_an_end() -> None:
    room = Room()
    for number in range(MAX_MEMBERS):
        room.join(f"s{number}", f"Member {number}", None)
    with refused("room_full"):
        room.join("late", "Late", None)
    room.join("s0", "Renamed", None)
    room.leave("s1")
    room.join("late", "Late", None)
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
