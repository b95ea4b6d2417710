"""The chat over the wire: the server alone says who speaks and who is there."""

import pytest

from mirant.demo.app import PAGES
from mirant.demo.chat import MAX_ROOMS, MAX_ROOMS_PER_SESSION, MAX_TEXT, OWN_ROOM
from tests.demo.client import RemoteFailure
from tests.demo.conftest import NOW_MS, Connect


async def test_joining_tells_everyone(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    assert (await ann.join("Ann"))["members"] == ["Ann"]
    assert (await bob.join(" Bob "))["name"] == "Bob"
    assert await ann.data("/members/demo") == [["Ann"], ["Ann", "Bob"]]
    assert await ann.data("/chat/demo") == [
        {"user": "Ann", "membership": "join", "at": NOW_MS},
        {"user": "Bob", "membership": "join", "at": NOW_MS},
    ]


async def test_the_server_stamps_who_speaks(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    await bob.received("/chat/demo")
    forged = {"chat": " Hello ", "user": "Bob", "at": 0, "membership": "leave", "peer": "Bob"}
    reply = await ann.send("/chat/demo", data=forged)
    assert reply["successful"]
    assert await bob.data("/chat/demo") == [{"user": "Ann", "chat": "Hello", "at": NOW_MS}]


async def test_who_has_not_joined_cannot_speak(connect: Connect) -> None:
    ann, eve = await connect(), await connect()
    await ann.join("Ann")
    await ann.received("/chat/demo")
    reply = await eve.send("/chat/demo", data={"chat": "Hello"})
    assert not reply["successful"]
    assert "Join the room" in reply["error"]
    assert await ann.received("/chat/demo") == []


@pytest.mark.parametrize(
    "data", [{"chat": ""}, {"chat": " \n"}, {"chat": "x" * (MAX_TEXT + 1)}, {"chat": 1}, {}, "text", None]
)
async def test_what_is_no_message_is_refused(connect: Connect, data: object) -> None:
    ann = await connect()
    await ann.join("Ann")
    await ann.received("/chat/demo")
    assert not (await ann.send("/chat/demo", data=data))["successful"]
    assert await ann.received("/chat/demo") == []


async def test_clients_cannot_publish_the_list_of_members(connect: Connect) -> None:
    ann, eve = await connect(), await connect()
    await ann.join("Ann")
    await ann.received("/members/demo")
    assert not (await eve.send("/members/demo", data=["Eve"]))["successful"]
    assert await ann.received("/members/demo") == []


async def test_a_private_message_is_for_one_session(connect: Connect) -> None:
    ann, bob, carol = await connect(), await connect(), await connect()
    await ann.sign_in("Ann")
    inbox = await bob.sign_in("Bob")
    await carol.sign_in("Carol")
    answer = await ann.call("chat/private", {"room": "demo", "peer": "bob", "chat": "psst"})
    assert answer == {"user": "Ann", "chat": "psst", "at": NOW_MS, "room": "demo", "peer": "Bob"}
    assert await bob.data(inbox) == [answer]
    for client in (ann, carol):
        await client.received("/nothing")
        assert "psst" not in str(client.kept)


async def test_a_private_message_needs_both_in_the_room(connect: Connect) -> None:
    ann, eve = await connect(), await connect()
    inbox = await ann.sign_in("Ann")
    await eve.sign_in("Eve")
    await eve.call("chat/leave", {"room": "demo"})
    with pytest.raises(RemoteFailure, match="not_joined"):
        await eve.call("chat/private", {"room": "demo", "peer": "Ann", "chat": "psst"})
    with pytest.raises(RemoteFailure, match="no_such_member"):
        await ann.call("chat/private", {"room": "demo", "peer": "Eve", "chat": "psst"})
    assert await ann.received(inbox) == []


async def test_a_private_message_is_not_lost_in_silence(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.sign_in("Ann")
    await bob.join("Bob")
    with pytest.raises(RemoteFailure, match="not_listening"):
        await ann.call("chat/private", {"room": "demo", "peer": "Bob", "chat": "psst"})


async def test_leaving_tells_the_others(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    await ann.received("/chat/demo")
    await ann.received("/members/demo")
    assert await bob.call("chat/leave", {"room": "demo"}) == {}
    assert await bob.call("chat/leave", {"room": "demo"}) == {}
    assert await ann.data("/members/demo") == [["Ann"]]
    assert await ann.data("/chat/demo") == [{"user": "Bob", "membership": "leave", "at": NOW_MS}]


async def test_the_end_of_a_session_is_the_end_of_its_membership(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann")
    await bob.join("Bob")
    await ann.received("/members/demo")
    await bob.disconnect()
    assert await ann.data("/members/demo") == [["Ann"]]
    assert (await (await connect()).join("Bob"))["members"] == ["Ann", "Bob"]


async def test_a_lost_session_is_replaced_by_its_token(connect: Connect) -> None:
    ann, ghost, bob = await connect(), await connect(), await connect()
    await ann.sign_in("Ann")
    token = (await ghost.join("Bob"))["token"]
    with pytest.raises(RemoteFailure, match="name_taken"):
        await bob.join("Bob")
    await ann.received("/members/demo")
    inbox = await bob.sign_in("Bob", token=token)
    await ghost.disconnect()
    assert await ann.received("/members/demo") == []
    await ann.call("chat/private", {"room": "demo", "peer": "Bob", "chat": "you?"})
    assert [data["chat"] for data in await bob.data(inbox)] == ["you?"]


async def test_a_name_that_is_free_again_leads_to_another_inbox(connect: Connect) -> None:
    """Otherwise the former bearer of a name could read messages for the present one."""
    before, after = await connect(), await connect()
    old = await before.sign_in("Bob")
    await before.call("chat/leave", {"room": "demo"})
    assert await after.sign_in("Bob") != old


async def test_who_is_signed_in_stays_the_same_user(connect: Connect) -> None:
    ann = await connect()
    inbox = await ann.sign_in("Ann")
    for name, room in (("Anna", "demo"), ("Ann", "other")):
        assert f"/users/{(await ann.join(name, room=room))['user']}/inbox" == inbox


async def test_who_is_not_signed_in_yet_is_the_same_user_in_all_rooms(connect: Connect) -> None:
    ann = await connect()
    first = await ann.join("Ann", room="one")
    assert (await ann.join("Ann", room="two"))["user"] == first["user"]


@pytest.mark.parametrize("room", ["", "a/b", "*", "x" * 33, "sp ace"])
async def test_a_room_needs_a_plain_name(connect: Connect, room: str) -> None:
    ann = await connect()
    with pytest.raises(RemoteFailure, match="room_invalid"):
        await ann.call("chat/join", {"room": room, "name": "Ann"})


@pytest.mark.parametrize("data", [None, "demo", {"room": "demo"}, {"room": 1, "name": "Ann"}])
async def test_a_join_that_is_none_is_refused_with_what_is_wrong(connect: Connect, data: object) -> None:
    ann = await connect()
    with pytest.raises(RemoteFailure) as failure:
        await ann.call("chat/join", data)
    assert failure.value.data["message"]


async def test_rooms_are_apart_and_bounded(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.join("Ann", room="one")
    assert (await bob.join("Ann", room="two"))["members"] == ["Ann"]
    await bob.send("/chat/two", data={"chat": "Hello"})
    assert "Hello" not in str(await ann.received("/chat/one"))
    for number in range(MAX_ROOMS_PER_SESSION - 1):
        await ann.join("Ann", room=f"room-{number}")
    with pytest.raises(RemoteFailure, match="too_many_rooms"):
        await ann.join("Ann", room="one-more")
    await ann.call("chat/leave", {"room": "one"})
    await ann.join("Ann", room="one-more")


async def test_sessions_that_fill_all_rooms_do_not_lock_the_demos_own(connect: Connect) -> None:
    for number in range(MAX_ROOMS):
        if number % MAX_ROOMS_PER_SESSION == 0:
            hoarder = await connect()
        await hoarder.join("Mallory", room=f"room-{number}")
    visitor = await connect()
    with pytest.raises(RemoteFailure, match="too_many_rooms"):
        await visitor.join("Ann", room="one-more")

    assert (await visitor.join("Ann", room="demo"))["members"] == ["Ann"]
    # Nor does the room that is in use let anybody have one more.
    with pytest.raises(RemoteFailure, match="too_many_rooms"):
        await visitor.join("Ann", room="one-more")


def test_the_page_joins_the_room_that_is_always_to_be_had() -> None:
    assert f'const ROOM = "{OWN_ROOM}";' in (PAGES / "chat.js").read_text(encoding="utf-8")


async def test_other_channels_are_open(connect: Connect) -> None:
    ann, bob = await connect(), await connect()
    await ann.send("/meta/subscribe", subscription="/anything/**")
    assert (await bob.send("/anything/at/all", data=[1]))["successful"]
    assert await ann.data("/anything/at/all") == [[1]]
