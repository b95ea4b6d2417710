"""ack: numbered answers to connects, and what was not acknowledged sent again (reference: 3.1)."""

import json
import logging
from typing import Any

import pytest

from mirant.bus.session import Session
from mirant.extensions.ack import Ack
from mirant.testing import Client, Json, Poll, PollingClient, SocketClient, World, reply_to


@pytest.fixture
def world() -> World:
    return World().use(Ack())


def poll(client: PollingClient, batch: object, **fields: object) -> Poll:
    """Connect, and acknowledge the answers up to *batch*."""
    return client.connect(ext={"ack": batch}, **fields)


def polling(world: World) -> PollingClient:
    """Return a client that acknowledges, subscribed to /a; its first answer has the number 1."""
    client = world.polling()
    assert client.handshake(ext={"ack": True})["ext"] == {"ack": True}
    assert poll(client, 0).reply["ext"] == {"ack": 1}
    client.subscribe("/a")
    return client


def on_socket(world: World) -> SocketClient:
    """Return such a client on a WebSocket."""
    client = world.socket()
    assert client.handshake(ext={"ack": True})["ext"] == {"ack": True}
    beat(client, 0)
    client.subscribe("/a")
    client.messages.clear()
    client.frames.clear()
    return client


def beat(client: SocketClient, batch: object) -> Json:
    """Connect on a WebSocket."""
    return client.connect(ext={"ack": batch})


def ack_in(message: Json) -> Any:
    return message["ext"]["ack"]


def data_of(answer: Poll) -> list[Any]:
    return [message["data"] for message in answer.messages if "data" in message]


# --- The handshake ---


@pytest.mark.parametrize("wish", [False, None, 1, "true", {"enabled": True}, []])
def test_only_true_is_a_wish(world: World, wish: object) -> None:
    client = world.polling()
    assert "ext" not in client.handshake(ext={"ack": wish})
    assert "ext" not in poll(client, 0).reply


def test_a_client_that_does_not_wish_for_it_gets_messages_as_ever(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    client.publish("/a", 1)
    assert client.data == [1]
    assert "ext" not in client.connect(advice={"timeout": 0}).reply


def test_a_bus_without_it_does_not_promise_it() -> None:
    assert "ext" not in World().polling().handshake(ext={"ack": True})


def test_a_handshake_that_is_refused_promises_nothing(world: World) -> None:
    world.services.authenticate(lambda handshake: None)
    assert "ext" not in world.polling().handshake(ext={"ack": True})


def welcoming(world: World) -> World:
    """Let *world* send a message to everybody who comes."""
    world.services.on_join(lambda session: world.deliver(session, "/welcome", "hello"))
    return world


@pytest.mark.parametrize("transport", ["polling", "socket"])
def test_messages_that_come_with_the_handshake_are_the_first_batch(transport: str) -> None:
    world = welcoming(World(with_handshake=True).use(Ack()))
    client: Client = getattr(world, transport)()
    reply = client.handshake(ext={"ack": True})
    assert reply["ext"] == {"ack": {"enabled": True, "batch": 1}}
    assert client.messages == [reply, {"channel": "/welcome", "data": "hello"}]


def test_after_such_a_handshake_the_first_connect_is_answered_with_the_second_batch() -> None:
    world = welcoming(World(with_handshake=True).use(Ack()))
    client = world.polling()
    client.handshake(ext={"ack": True})
    answer = poll(client, 1)
    assert data_of(answer) == []
    assert ack_in(answer.reply) == 2


def test_what_came_with_the_handshake_is_sent_again_to_a_client_that_did_not_see_it() -> None:
    world = welcoming(World(with_handshake=True).use(Ack()))
    client = world.polling()
    client.handshake(ext={"ack": True})
    assert data_of(poll(client, 0)) == ["hello"]


def test_messages_that_do_not_come_with_the_handshake_come_with_the_first_connect() -> None:
    world = welcoming(World().use(Ack()))
    client = world.polling()
    assert client.handshake(ext={"ack": True})["ext"] == {"ack": True}
    answer = poll(client, 0)
    assert data_of(answer) == ["hello"]
    assert data_of(poll(client, ack_in(answer.reply), advice={"timeout": 0})) == []


def test_with_handshakes_that_carry_messages_but_none_waiting_nothing_is_lost() -> None:
    world = World(with_handshake=True).use(Ack())
    client = world.polling()
    reply = client.handshake(ext={"ack": True})
    assert reply["ext"]["ack"] in (True, {"enabled": True, "batch": 1})
    world.deliver(client.session, "/a", 1)
    assert data_of(poll(client, 0 if reply["ext"]["ack"] is True else 1)) == [1]


# --- Batches ---


def test_every_answer_to_a_connect_has_the_next_number_with_or_without_messages(world: World) -> None:
    client = polling(world)
    numbers = []
    for number in range(1, 5):
        if number % 2:
            world.publish("/a", number)
        numbers.append(ack_in(poll(client, number, advice={"timeout": 0}).reply))
    assert numbers == [2, 3, 4, 5]


def test_other_answers_have_none(world: World) -> None:
    client = polling(world)
    assert "ack" not in client.subscribe("/b").get("ext", {})
    assert "ack" not in client.publish("/b", 1, ext={"ack": 0}).get("ext", {})


def test_messages_leave_with_answers_to_connects_only(world: World) -> None:
    client = polling(world)
    held = poll(client, 1)
    assert client.publish("/a", "mine")["successful"]
    assert data_of(held) == ["mine"]
    client.publish("/a", "between")
    assert client.data == ["mine"]


def test_a_held_connect_is_released_by_a_message_which_comes_before_the_reply(world: World) -> None:
    client = polling(world)
    held = poll(client, 1)
    world.publish("/a", 1)
    assert held.messages == [
        {"channel": "/a", "data": 1},
        {"channel": "/meta/connect", "id": held.reply["id"], "successful": True, "ext": {"ack": 2}},
    ]


def test_what_is_acknowledged_is_not_sent_again(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    assert data_of(poll(client, 1)) == [1]
    assert poll(client, 2).held


def test_what_is_not_acknowledged_is_sent_again_at_once(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    again = poll(client, 1)
    assert data_of(again) == [1]
    assert ack_in(again.reply) == 3


def test_what_is_sent_again_comes_in_its_order_before_what_is_newer(world: World) -> None:
    client = polling(world)
    for number in (1, 2):
        world.publish("/a", number)
    poll(client, 1)
    world.publish("/a", 3)
    poll(client, 1)
    world.publish("/a", 4)
    assert data_of(poll(client, 1)) == [1, 2, 3, 4]


def test_an_acknowledgement_is_of_all_answers_up_to_its_number(world: World) -> None:
    client = polling(world)
    for number in (1, 2, 3):
        world.publish("/a", number)
        poll(client, 1)
    assert poll(client, 4).held


def test_an_acknowledgement_of_an_earlier_answer_leaves_what_came_later(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    world.publish("/a", 2)
    assert data_of(poll(client, 2)) == [2]
    assert data_of(poll(client, 2)) == [2]
    assert poll(client, 4).held


def test_a_connect_that_says_nothing_acknowledges_nothing(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    again = client.connect()
    assert data_of(again) == [1]
    assert ack_in(again.reply) == 3


@pytest.mark.parametrize("garbage", [-1, None, "2", 1.5, True, [], {}, -(10**30), {"batch": 2}])
def test_garbage_acknowledges_nothing(world: World, garbage: object) -> None:
    """-1 is what dojox sends before it has seen an answer."""
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    again = poll(client, garbage)
    assert data_of(again) == [1]
    assert again.reply["successful"]


def test_a_number_that_was_never_given_out_breaks_nothing(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    assert data_of(poll(client, 10**30, advice={"timeout": 0})) == []
    world.publish("/a", 2)
    assert data_of(poll(client, 3))[-1] == 2


def test_an_acknowledgement_in_another_message_means_nothing(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    client.say("/meta/subscribe", subscription="/b", ext={"ack": 2})
    assert data_of(poll(client, 1)) == [1]


def test_a_dojox_client_gets_everything_once(world: World) -> None:
    client = world.polling()
    client.handshake(ext={"ack": True})
    first = poll(client, -1)
    client.subscribe("/a")
    world.publish("/a", 1)
    second = poll(client, ack_in(first.reply))
    poll(client, ack_in(second.reply))
    assert client.data == [1]


def test_a_connect_spelt_with_a_slash_brings_messages_too(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    assert data_of(client.send(client.message("/meta/connect/", ext={"ack": 1}))) == [1]


def test_lazy_messages_are_kept_too(world: World) -> None:
    world.channel("/a", lazy=5)
    client = polling(world)
    held = poll(client, 1)
    world.publish("/a", 1)
    assert held.held
    world.advance(5.1)
    assert data_of(held) == [1]
    assert data_of(poll(client, 1)) == [1]


def test_a_connect_that_finds_only_lazy_messages_is_held(world: World) -> None:
    world.channel("/a", lazy=5)
    client = polling(world)
    world.publish("/a", 1)
    held = poll(client, 1)
    assert held.held
    world.advance(5.1)
    assert data_of(held) == [1]
    world.publish("/a", 2)
    assert poll(client, 2).held


def test_on_a_socket_a_connect_that_finds_only_lazy_messages_is_held(world: World) -> None:
    world.channel("/a", lazy=5)
    client = on_socket(world)
    world.publish("/a", 1)
    client.send(client.message("/meta/connect", ext={"ack": 1}))
    assert not client.messages
    world.advance(5.1)
    assert client.data == [1]


def test_a_lazy_message_that_waited_for_its_time_waits_for_no_more_than_a_connect(world: World) -> None:
    world.channel("/a", lazy=5)
    client = polling(world)
    world.publish("/a", 1)
    world.advance(5.1)
    assert data_of(poll(client, 1)) == [1]


def test_a_prompt_message_takes_lazy_ones_to_a_client_that_acknowledges(world: World) -> None:
    world.channel("/a", lazy=5)
    client = polling(world)
    client.subscribe("/b")
    for channel in ("/a", "/b", "/a"):
        world.publish(channel, channel)
    assert data_of(poll(client, 1)) == ["/a", "/b", "/a"]


def test_what_is_sent_again_takes_lazy_messages_along(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    assert data_of(poll(client, 1)) == [1]
    world.channel("/a", lazy=5)
    world.publish("/a", 2)
    assert data_of(poll(client, 1)) == [1, 2]


def test_of_latest_messages_what_was_sent_already_is_sent_again_too(world: World) -> None:
    world.channel("/a", latest=True)
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    world.publish("/a", 2)
    world.publish("/a", 3)
    assert data_of(poll(client, 1)) == [1, 3]


def test_nothing_is_left_of_a_session(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    poll(client, 1)
    client.disconnect()
    other = polling(world)
    poll(other, 1)
    world.advance(100)
    assert world.is_empty()


# --- Links that break ---


def test_an_answer_whose_client_hung_up_takes_nothing_with_it(world: World) -> None:
    client = polling(world)
    poll(client, 1).hang_up()
    world.publish("/a", 1)
    assert data_of(poll(client, 1)) == [1]


def test_a_connect_that_was_superseded_takes_nothing_with_it(world: World) -> None:
    client = polling(world)
    first = poll(client, 1)
    with world.tick():
        world.publish("/a", 1)
        second = poll(client, 1)
    assert first.reply["error"] == "409::connect_superseded"
    assert "ext" not in first.reply
    assert data_of(second) == [1]


def test_a_connect_that_was_overtaken_forgets_nothing(world: World) -> None:
    client = polling(world)
    late = client.message("/meta/connect", ext={"ack": 1})
    world.publish("/a", 1)
    newer = poll(client, 1)
    held = poll(client, ack_in(newer.reply))
    arrived = client.send(late)
    assert held.reply["error"] == "409::connect_superseded"
    world.publish("/a", 2)
    assert data_of(arrived)[-1:] == [2]
    assert data_of(poll(client, 2)) == [2]


@pytest.mark.parametrize("times", [1, 3, 7])
def test_an_acknowledgement_that_was_overtaken_counts_for_what_was_sent_again_meanwhile(
    world: World, times: int
) -> None:
    """The client has answer 2, but its next connects crossed it on the way: they acknowledge answer 1."""
    client = polling(world)
    world.publish("/a", 1)
    assert ack_in(poll(client, 1).reply) == 2
    for _ in range(times):
        assert data_of(poll(client, 1)) == [1]
    assert poll(client, 2).held


def test_an_acknowledgement_that_was_overtaken_brings_nothing_back(world: World) -> None:
    client = polling(world)
    for number in (1, 2):
        world.publish("/a", number)
        poll(client, number)
    late = client.message("/meta/connect", connectionType="long-polling", ext={"ack": 2})
    assert poll(client, 3).held
    assert client.send(late).held
    world.publish("/a", 3)
    assert client.data == [1, 2, 3]


def test_an_acknowledgement_that_was_overtaken_counts_for_what_waits_to_be_sent_again(world: World) -> None:
    """Answer 2 had all four messages; the answers on the socket have one or two of them each."""
    client = polling(world)
    for number in range(4):
        world.publish("/a", [number, "x" * 100_000])
    assert len(data_of(poll(client, 1))) == 4
    socket = world.socket(client)
    beat(socket, 1)
    assert 0 < len(socket.data) < 4
    socket.messages.clear()
    beat(socket, 2)
    assert socket.data == []


def test_an_acknowledgement_that_comes_again_loses_nothing_that_left_since(world: World) -> None:
    """Answer 2 had all four messages, answer 3 two of them, and answer 4, which is lost, the others."""
    client = polling(world)
    for number in range(4):
        world.publish("/a", [number, "x" * 14_000])
    assert len(data_of(poll(client, 1))) == 4
    socket = world.socket(client)
    arrived = []
    for batch in (1, 3, 3):
        socket.messages.clear()
        beat(socket, batch)
        arrived.append([number for number, _ in socket.data])
    assert arrived == [[0, 1], [2, 3], [2, 3]]


def test_what_is_newer_does_not_overtake_what_is_sent_again_in_several_answers(world: World) -> None:
    client = polling(world)
    for number in range(4):
        world.publish("/a", [number, "x" * 100_000])
    poll(client, 1)
    socket = world.socket(client)
    world.publish("/a", [4, ""])
    for batch in range(1, 6):
        beat(socket, batch if batch == 1 else batch + 1)
    assert [number for number, _ in socket.data] == [0, 1, 2, 3, 4]


def test_of_messages_that_need_several_answers_none_is_lost(world: World) -> None:
    client = polling(world)
    for number in range(20):
        world.publish("/a", [number, "x" * 60_000])
    batch, seen = 1, []
    for _ in range(4):
        poll(client, batch, advice={"timeout": 0})  # is lost
        answer = poll(client, batch, advice={"timeout": 0})
        batch = ack_in(answer.reply)
        seen += [number for number, _ in data_of(answer)]
    assert seen == list(range(20))
    assert poll(client, batch).held


def test_on_a_smaller_carrier_what_is_not_sent_again_yet_is_not_forgotten(world: World) -> None:
    """An answer over HTTP carries more than a turn of a WebSocket."""
    client = polling(world)
    for number in range(4):
        world.publish("/a", [number, "x" * 14_000])
    poll(client, 1)  # is lost, and the client goes on over a WebSocket
    client.messages.clear()
    socket, batch = world.socket(client), 1
    for _ in range(3):
        batch = ack_in(reply_to(beat(socket, batch), socket.messages))
        if len(socket.data) >= 4:
            break
    assert [number for number, _ in socket.data] == [0, 1, 2, 3]


# --- On a WebSocket ---


def test_on_a_socket_messages_wait_for_a_connect(world: World) -> None:
    client = on_socket(world)
    world.publish("/a", 1)
    assert client.data == []
    beat(client, 1)
    assert client.data == [1]


def test_on_a_socket_a_held_connect_is_released_by_a_message(world: World) -> None:
    client = on_socket(world)
    connect = beat(client, 1)
    world.publish("/a", 1)
    assert client.messages == [
        {"channel": "/a", "data": 1},
        {"channel": "/meta/connect", "id": connect["id"], "successful": True, "ext": {"ack": 2}},
    ]


def test_on_a_socket_answers_to_other_messages_bring_nothing(world: World) -> None:
    client = on_socket(world)
    client.publish("/a", 1)
    client.subscribe("/b")
    assert client.data == []


def test_what_a_broken_socket_did_not_send_comes_on_the_next(world: World) -> None:
    client = on_socket(world)
    beat(client, 1)
    client.stall()
    world.publish("/a", 1)
    client.drop()
    world.publish("/a", 2)
    successor = world.socket(client)
    beat(successor, 1)
    assert successor.data == [1, 2]


def test_what_a_broken_socket_did_send_comes_again_if_it_was_not_acknowledged(world: World) -> None:
    client = on_socket(world)
    beat(client, 1)
    world.publish("/a", 1)
    client.drop()
    successor = world.socket(client)
    connect = beat(successor, 1)
    assert successor.data == [1]
    beat(successor, ack_in(reply_to(connect, successor.messages)))
    assert successor.data == [1]


def test_from_polling_to_a_socket_and_back_nothing_is_lost(world: World) -> None:
    client = polling(world)
    lost = poll(client, 1)
    world.publish("/a", 1)
    assert data_of(lost) == [1]
    client.messages.clear()

    socket = world.socket(client)
    answer = reply_to(beat(socket, 1), socket.messages)
    assert socket.data == [1]
    beat(socket, ack_in(answer))
    socket.stall()
    world.publish("/a", 2)

    answered = poll(client, ack_in(answer))
    assert data_of(answered) == [2]
    assert poll(client, ack_in(answered.reply)).held


def test_a_new_handshake_on_a_socket_starts_from_the_first_batch(world: World) -> None:
    client = on_socket(world)
    beat(client, 1)
    world.publish("/a", 1)
    assert client.handshake(ext={"ack": True})["ext"] == {"ack": True}
    assert ack_in(reply_to(beat(client, 0), client.messages)) == 1


def test_a_dismissed_client_gets_what_waits_first(world: World) -> None:
    client = polling(world)
    held = poll(client, 1)
    session = client.session
    with world.tick():
        world.publish("/a", 1)
        world.dismiss(session)
    assert [message["channel"] for message in held.messages] == ["/a", "/meta/disconnect", "/meta/connect"]


# --- How much is kept ---


def small(**options: Any) -> World:
    return World(max_outbox=10_000, **options).use(Ack())


def fill(world: World, client: PollingClient, count: int = 100) -> None:
    """Publish *count* messages of 500 bytes, and connect after each without acknowledging any."""
    for number in range(count):
        if not client.alive:
            return
        world.publish("/a", [number, "x" * 480])
        poll(client, -1, advice={"timeout": 0})


def test_a_client_that_never_acknowledges_is_one_that_never_reads(caplog: pytest.LogCaptureFixture) -> None:
    world = small()
    client = polling(world)
    with caplog.at_level(logging.WARNING, "mirant"):
        fill(world, client)
    assert not client.alive
    assert "session.outbox-full" in caplog.text


def test_what_is_kept_and_what_waits_count_together() -> None:
    world = small()
    client = polling(world)
    for _ in range(15):
        world.publish("/a", "x" * 480)
    poll(client, 1)
    for _ in range(10):
        world.publish("/a", "x" * 480)
    assert not client.alive


def kept_by(session: Session) -> int:
    """Return how many bytes are held for *session*."""
    return session.outbox.size + session.outbox.reserved


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_with_another_policy_what_is_kept_has_the_same_bound(overflow: str) -> None:
    world = small(overflow=overflow)
    client = polling(world)
    fill(world, client)
    assert client.alive
    assert kept_by(client.session) <= 11_000


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_what_is_dropped_is_told_and_the_telling_is_kept_too(overflow: str) -> None:
    world = small(overflow=overflow)
    client = polling(world)
    for number in range(30):
        world.publish("/a", [number, "x" * 480])
    for answer in (poll(client, 1), poll(client, 1)):
        [report] = [each for each in answer.messages if each["channel"] == "/service/mirant/dropped"]
        assert report["data"]["count"] + len(data_of(answer)) - 1 == 30


def test_a_client_that_acknowledges_goes_on_for_ever() -> None:
    world = small()
    client, batch = polling(world), 1
    for number in range(200):
        world.publish("/a", [number, "x" * 480])
        batch = ack_in(poll(client, batch).reply)
    assert [number for number, _ in client.data] == list(range(200))


def test_a_message_larger_than_the_limit_still_comes_when_all_is_acknowledged() -> None:
    world = small()
    client = polling(world)
    world.publish("/a", "x" * 20_000)
    answer = poll(client, 1)
    assert [len(text) for text in data_of(answer)] == [20_000]
    assert poll(client, ack_in(answer.reply)).held


def test_messages_of_a_body_with_several_connects_are_covered_by_the_last_number(world: World) -> None:
    client = polling(world)
    world.publish("/a", 1)
    two = [client.message("/meta/connect", ext={"ack": 1}) for _ in range(2)]
    answer = client.post(json.dumps(two).encode())
    assert data_of(answer) == [1]
    last = max(ack_in(m) for m in answer.messages if "ext" in m)
    assert poll(client, last).held


@pytest.mark.parametrize("overflow", ["drop-oldest", "drop-newest"])
def test_on_a_socket_what_was_dropped_is_told_though_nothing_else_waits(overflow: str) -> None:
    world = World(max_outbox=2_000, overflow=overflow).use(Ack())
    client = on_socket(world)
    for _ in range(3):
        world.publish("/a", "x" * 600)
    beat(client, 1)
    world.publish("/a", "x" * 1_500)  # finds no room beside what is kept
    client.messages.clear()
    beat(client, 2)
    world.advance(31)
    assert [message["channel"] for message in client.messages] == ["/service/mirant/dropped", "/meta/connect"]


def test_on_a_socket_a_connect_is_held_when_all_that_waited_was_acknowledged(world: World) -> None:
    client = polling(world)
    for number in range(4):
        world.publish("/a", [number, "x" * 100_000])
    poll(client, 1)
    socket = world.socket(client)
    beat(socket, 1)
    assert 0 < len(socket.data) < 4
    beat(socket, 2)
    assert socket.session.held is not None


def test_answers_become_smaller_while_they_are_lost_and_larger_while_they_arrive(world: World) -> None:
    client = polling(world)
    for number in range(100):
        world.publish("/a", [number, "x" * 5_000])
    poll(client, 1)
    lost = [poll(client, 1) for _ in range(8)]
    counts = [len(data_of(answer)) for answer in lost]
    assert counts == sorted(counts, reverse=True)
    assert (counts[0], counts[-1]) == (100, 1)  # 512 KiB, and 8 KiB
    arrived = [number for number, _ in data_of(lost[-1])]
    batch, counts = ack_in(lost[-1].reply), []
    while len(arrived) < 100:
        answer = poll(client, batch)
        batch = ack_in(answer.reply)
        counts.append(len(data_of(answer)))
        arrived += [number for number, _ in data_of(answer)]
    assert arrived == list(range(100))
    assert counts[:-1] == sorted(counts[:-1])
    assert counts[-2] > 16


def test_on_a_socket_messages_and_the_reply_that_numbers_them_are_one_frame(world: World) -> None:
    """A cut between two frames would make the messages come twice."""
    client, batch = on_socket(world), 1
    for number in range(3):
        world.publish("/a", number)
        world.publish("/a", "x" * 1_000)
        client.frames.clear()
        batch = ack_in(reply_to(beat(client, batch), client.messages))
        [frame] = client.frames
        assert [each.get("data") for each in frame] == [number, "x" * 1_000, None]
        assert frame[-1]["ext"]["ack"] == batch


def test_no_frame_on_a_socket_is_larger_for_it(world: World) -> None:
    client, batch = on_socket(world), 1
    for number in range(100):
        world.publish("/a", [number, "x" * 1_000])
    while len(client.data) < 100:
        batch = ack_in(reply_to(beat(client, batch), client.messages))
    assert max(len(json.dumps(frame)) for frame in client.frames) < 40 * 1024
    assert [number for number, _ in client.data] == list(range(100))


def test_an_outbox_takes_as_much_with_the_extension_as_without_before_anything_was_sent() -> None:
    world = World().use(Ack())
    client = world.polling()
    client.handshake(ext={"ack": True})
    client.subscribe("/a")
    client.session.outbox.limit = len(b'{"channel":"/a","data":1}')
    world.publish("/a", 1)
    assert client.alive
    assert len(client.session.outbox) == 1
