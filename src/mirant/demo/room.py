"""A chat room: who is in it, and under which name. This module knows neither the bus nor its sessions."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

MAX_NAME: Final = 32  # characters; what fits beside a message on a phone
MAX_MEMBERS: Final = 200  # the member list goes to every member whenever it changes


class RoomError(Exception):
    """The room refuses something: *code* is for programs, *message* for the person who asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Member:
    """A name, held by a session; the same *user* can take it over from a new session."""

    name: str
    session_id: str
    user: str


@dataclass(frozen=True, slots=True)
class Admission:
    """The result of joining: the member, and the names that appeared and vanished by it."""

    member: Member
    joined: str | None
    left: str | None


@dataclass(slots=True)
class Room:
    """The members of one room: one name for each session, one session for each name."""

    _by_session: dict[str, Member] = field(default_factory=dict)
    _by_key: dict[str, Member] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._by_session)

    @property
    def names(self) -> list[str]:
        """The names of all members, sorted as a person would sort them."""
        return sorted((member.name for member in self._by_session.values()), key=str.casefold)

    def member_of(self, session_id: str) -> Member | None:
        """Return the member that a session joined as, or None."""
        return self._by_session.get(session_id)

    def member_named(self, name: str) -> Member | None:
        """Return the member of this name (case does not matter), or None."""
        return self._by_key.get(_key(name))

    def join(self, session_id: str, name: str, user: str) -> Admission:
        """Let a session of *user* in under *name*, and return who appeared and who vanished by it.

        A session that is in already changes its name. The user who has the name takes it over from the
        session that held it. So a browser that lost its session gets its name back at once.

        Raises:
            RoomError: ``name_taken`` or ``room_full``.
        """
        holder = self._by_key.get(_key(name))
        if holder is not None and holder.session_id != session_id:
            if holder.user != user:
                raise RoomError("name_taken", f"“{holder.name}” is taken. Choose another name.")
            self.leave(holder.session_id)
        before = self.leave(session_id)
        if len(self) >= MAX_MEMBERS:
            raise RoomError("room_full", f"The room is full ({MAX_MEMBERS} members). Try later.")
        member = Member(name, session_id, user)
        self._by_session[session_id] = self._by_key[_key(name)] = member
        return Admission(
            member,
            joined=None if holder else name,
            left=before.name if before and _key(before.name) != _key(name) else None,
        )

    def leave(self, session_id: str) -> Member | None:
        """Remove a session; return the member it was, or None if it was not in."""
        member = self._by_session.pop(session_id, None)
        if member is not None:
            del self._by_key[_key(member.name)]
        return member


def parse_name(value: str) -> str:
    """Return *value* as a name: one line, normalised (NFKC), 1 to `MAX_NAME` characters, none invisible.

    Letters that look alike (a Greek Alpha and a Latin A) make different names. Refusing such names is out of
    scope for a demo.

    Raises:
        RoomError: ``name_invalid``, with what is wrong.
    """
    if len(value) > 4 * MAX_NAME:  # normalising costs time: refuse the absurd first
        raise RoomError("name_invalid", f"A name has at most {MAX_NAME} characters.")
    name = " ".join(unicodedata.normalize("NFKC", value).split())
    if not name:
        raise RoomError("name_invalid", "Enter a name.")
    if len(name) > MAX_NAME:
        raise RoomError("name_invalid", f"A name has at most {MAX_NAME} characters.")
    if "::" in name or any(map(_is_invisible, name)):
        raise RoomError("name_invalid", "A name cannot contain “::” or invisible characters.")
    return name


# Characters that are drawn as nothing or as a blank although their category does not begin with "C":
# Unicode's Default_Ignorable_Code_Point, fillers and the like.
_INVISIBLE: Final = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x2800, 0x2800),  # Braille without dots
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # Hangul filler, half width
    (0x16FE4, 0x16FE4),  # Khitan filler
    (0x1D159, 0x1D159),  # musical note without a head
    (0xE0000, 0xE0FFF),  # tags and more variation selectors
)


def _is_invisible(char: str) -> bool:
    code = ord(char)
    return unicodedata.category(char)[0] == "C" or any(first <= code <= last for first, last in _INVISIBLE)


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
