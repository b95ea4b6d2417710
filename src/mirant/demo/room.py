"""Who is in a chat room, under which name. Knows no bus and no session object."""

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Final

MAX_NAME: Final = 32  # characters; what fits beside a message on a phone
MAX_MEMBERS: Final = 200  # the member list goes to every member whenever it changes


class RoomError(Exception):
    """The room says no: *code* is for programs, *message* for the person who asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def as_data(self) -> dict[str, str]:
        """Return the refusal as the data of a failed remote call."""
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Member:
    """A name, held by a session; *token* lets the same person take it over from a new session."""

    name: str
    session_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What joining came to: the member, and the names that appeared and vanished by it."""

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

    def join(self, session_id: str, name: str, token: str | None) -> Entry:
        """Let a session in under *name*, and return who appeared and who vanished by it.

        A session that is in already changes its name. Whoever shows the *token* of an earlier join takes
        the name over from the session that held it: so a browser that lost its session is not locked out
        by its own ghost.

        Raises:
            RoomError: ``name_taken`` or ``room_full``.
        """
        holder = self._by_key.get(_key(name))
        if holder is not None and holder.session_id != session_id:
            if token is None or not secrets.compare_digest(token.encode(), holder.token.encode()):
                raise RoomError("name_taken", f"“{holder.name}” is taken. Choose another name.")
            self.leave(holder.session_id)
        before = self.leave(session_id)
        if len(self) >= MAX_MEMBERS:
            raise RoomError("room_full", f"The room is full ({MAX_MEMBERS} members). Try later.")
        former = before or holder
        member = Member(name, session_id, former.token if former else secrets.token_urlsafe(16))
        self._by_session[session_id] = self._by_key[_key(name)] = member
        return Entry(
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
    """Return *value* as a name: one line, normalised (NFKC), 1 to `MAX_NAME` characters.

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
    if "::" in name or any(unicodedata.category(char)[0] == "C" for char in name):
        raise RoomError("name_invalid", "A name cannot contain “::” or invisible characters.")
    return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
