"""The chat: who may speak, under which name, and to whom.

Channels, for a room called ``demo``:

- ``/service/chat/join``, a remote call: ``{room, name, token?}`` → ``{name, user, token, lifetime, members}``
- ``/service/chat/leave``, a remote call: ``{room}`` → ``{}``
- ``/service/chat/private``, a remote call: ``{room, peer, chat}`` → the message as it was delivered
- ``/service/chat/renew``, a remote call: → ``{token, lifetime}``
- ``/users/4f…/inbox``: private messages to the user ``4f…``
- ``/chat/demo``: what is said to all, ``{user, chat, at}``; who comes and goes, ``{user, membership, at}``
- ``/members/demo``: the names of all members, whenever they change

``at`` is in milliseconds since 1970, ``lifetime`` in milliseconds. Text is as `mirant.demo.markup` says.

The answer to a join has a token. A client that puts it into ``ext.token`` of a /meta/connect gets the
identity of the user, who may subscribe to the inbox and write privately. The rules for that are in
``mirant.toml``, not in this module. A later join with the token takes the name over from the session that had
it.
"""

import re
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from mirant import Bus, Caller, RemoteError, Session, Veto
from mirant.demo.markup import escape, unescape
from mirant.demo.room import Member, Room, RoomError, parse_name
from mirant.demo.tokens import Issuer

MAX_TEXT: Final = 2_000  # characters of one message
OWN_ROOM: Final = "demo"  # that of the page: it is always to be had, and does not count
MAX_ROOMS: Final = 100  # other rooms; a room exists while someone is in it
MAX_ROOMS_PER_SESSION: Final = 10

ROOM_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Join(Struct):
    """What a client sends to enter a room."""

    room: str
    name: str
    token: str | None = None  # of an earlier join


class Leave(Struct):
    """What a client sends to leave a room."""

    room: str


class Private(Struct):
    """What a client sends to one member of a room."""

    room: str
    peer: str
    chat: str


class Said(Struct):
    """What a client publishes to a room. The server adds the other fields."""

    chat: str


class Chat:
    """The rooms of a bus. The server stamps the name on each message, so nobody can forge one."""

    def __init__(self, bus: Bus, issuer: Issuer, *, wall_clock: Callable[[], float] = time.time) -> None:
        """Make a chat on *bus*, which accepts the tokens of *issuer*.

        *wall_clock* is the time of day in seconds since 1970.
        """
        self._bus = bus
        self._issuer = issuer
        self._wall_clock = wall_clock
        self._rooms: dict[str, Room] = {}

    def attach(self) -> None:
        """Register the chat's functions on the bus."""
        self._bus.rpc("/chat/join")(self.join)
        self._bus.rpc("/chat/leave")(self.leave)
        self._bus.rpc("/chat/private")(self.private)
        self._bus.rpc("/chat/renew")(self.renew)
        self._bus.on_publish("/chat/{room}")(self.speak)
        self._bus.on_leave(self.session_ended)

    def join(self, caller: Caller, data: Join) -> object:
        """Let the caller into a room under a name."""
        user = self._user(caller, data.token)
        try:
            name = parse_name(unescape(data.name))
            room = self._room_to_join(data.room, caller.session.id)
            entry = room.join(caller.session.id, name, user)
        except RoomError as error:
            raise _failure(error) from error
        self._rooms[data.room] = room
        self._announce(data.room, left=entry.left, joined=entry.joined)
        return {"name": escape(name), "user": user, **self._credential(user), "members": _listed(room)}

    def leave(self, caller: Caller, data: Leave) -> object:
        """Take the caller out of a room; leaving a room one is not in does nothing."""
        self._remove(data.room, caller.session.id)
        return {}

    def private(self, caller: Caller, data: Private) -> object:
        """Deliver a message to one member of a room and to nobody else."""
        try:
            said = self._stamped(data.room, caller.session.id, data.chat)
            peer = self._peer(data.room, unescape(data.peer))
            message = {**said, "room": data.room, "peer": escape(peer.name)}
            if not self._bus.publish_nowait(f"/users/{peer.user}/inbox", message):
                raise RoomError("not_listening", f"“{peer.name}” takes no private messages yet. Try again.")
        except RoomError as error:
            raise _failure(error) from error
        return message

    def renew(self, caller: Caller, data: object) -> object:
        """Give the caller, who showed a token, one that runs out later."""
        assert caller.identity is not None, "the policy lets nobody else call this"
        return self._credential(caller.identity.name)

    def speak(self, caller: Caller, data: Said, room: str) -> object:
        """Stamp the speaker's name and the time on a message to the whole room."""
        try:
            return self._stamped(room, caller.session.id, data.chat)
        except RoomError as error:
            raise Veto(error.message) from error

    def session_ended(self, session: Session) -> None:
        """Take a session that ended out of its rooms."""
        for name in [name for name, room in self._rooms.items() if room.member_of(session.id)]:
            self._remove(name, session.id)

    def _user(self, caller: Caller, token: str | None) -> str:
        """Return who the caller is: by the session's token, by the one that came along, or a new user."""
        if caller.identity is not None:
            return caller.identity.name
        known = None if token is None else self._issuer.user_of(token)
        members = (room.member_of(caller.session.id) for room in self._rooms.values())
        return known or next((member.user for member in members if member), self._issuer.new_user())

    def _credential(self, user: str) -> dict[str, object]:
        return {"token": self._issuer.issue(user), "lifetime": round(self._issuer.lifetime * 1000)}

    def _room_to_join(self, name: str, session_id: str) -> Room:
        if not ROOM_NAME.fullmatch(name):
            raise RoomError(
                "room_invalid", "A room has a name of 1 to 32 letters, digits, dashes or underscores."
            )
        room = self._rooms.get(name)
        joined = [other for other in self._rooms.values() if other.member_of(session_id)]
        if room not in joined and len(joined) >= MAX_ROOMS_PER_SESSION:
            raise RoomError("too_many_rooms", f"You are in {MAX_ROOMS_PER_SESSION} rooms. Leave one first.")
        if room is None and name != OWN_ROOM and len(self._rooms.keys() - {OWN_ROOM}) >= MAX_ROOMS:
            raise RoomError("too_many_rooms", "There are too many rooms. Join one that exists.")
        return Room() if room is None else room

    def _stamped(self, room_name: str, session_id: str, chat: str) -> dict[str, object]:
        room = self._rooms.get(room_name)
        member = None if room is None else room.member_of(session_id)
        if member is None:
            raise RoomError("not_joined", "Join the room before you speak in it.")
        text = chat.strip()
        if not text:
            raise RoomError("text_invalid", "There is no text in the message.")
        if len(unescape(text)) > MAX_TEXT:
            raise RoomError("text_invalid", f"A message has at most {MAX_TEXT} characters.")
        # The filters saw the text. They did not see the name, which was normalised after them.
        return {"user": escape(member.name), "chat": text, "at": self._now()}

    def _peer(self, room_name: str, name: str) -> Member:
        peer = self._rooms[room_name].member_named(name)
        if peer is None:
            raise RoomError("no_such_member", "This member is not in the room any more.")
        return peer

    def _remove(self, room_name: str, session_id: str) -> None:
        room = self._rooms.get(room_name)
        member = None if room is None else room.leave(session_id)
        if room is None or member is None:
            return
        if len(room) == 0:
            del self._rooms[room_name]
        self._announce(room_name, left=member.name, joined=None)

    def _announce(self, room_name: str, *, left: str | None, joined: str | None) -> None:
        for name, change in ((left, "leave"), (joined, "join")):
            if name is not None:
                notice = {"user": escape(name), "membership": change, "at": self._now()}
                self._bus.publish_nowait(f"/chat/{room_name}", notice)
        if left is not None or joined is not None:
            room = self._rooms.get(room_name)
            self._bus.publish_nowait(f"/members/{room_name}", [] if room is None else _listed(room))

    def _now(self) -> int:
        return round(self._wall_clock() * 1000)


def _listed(room: Room) -> list[str]:
    return [escape(name) for name in room.names]


def _failure(error: RoomError) -> RemoteError:
    return RemoteError({"code": error.code, "message": escape(error.message)})
