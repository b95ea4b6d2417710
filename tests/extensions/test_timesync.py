"""timesync: the arithmetic, when it speaks, and what it ignores (reference: 3.3)."""

from typing import Any

import pytest

from mirant.extensions.timesync import ACCURACY, TimeSync
from mirant.testing import World, reply_to

#: The server's clock when the world begins, in seconds since 1970; it goes as the world's clock does.
EPOCH = 1_700_000_000.0


@pytest.fixture
def world() -> World:
    world = World()
    began = world.now
    world.core.extensions.add(TimeSync(lambda: EPOCH + world.now - began))
    return world


def ask(world: World, sample: object) -> Any:
    """Return what a handshake with *sample* in it is answered."""
    return world.polling().handshake(ext={"timesync": sample}).get("ext", {}).get("timesync")


def test_a_client_learns_the_servers_clock_and_how_far_it_is_off(world: World) -> None:
    client_clock = int(EPOCH * 1000) - 5_000
    assert ask(world, {"tc": client_clock, "l": 40, "o": 4_000}) == {
        "tc": client_clock,
        "ts": int(EPOCH * 1000),
        "p": 0,
        "a": -960,  # tc + o + l - ts
    }


def test_a_client_that_follows_the_formulas_has_the_servers_time(world: World) -> None:
    offset, lag = 123_456, 30
    sent = EPOCH * 1000 - lag - offset  # by the client's clock
    answer = ask(world, {"tc": sent, "l": 0, "o": 0})
    received = sent + 2 * lag + answer["p"]
    measured_lag = (received - answer["tc"] - answer["p"]) / 2
    assert measured_lag == lag
    assert answer["ts"] - answer["tc"] - measured_lag == offset


@pytest.mark.parametrize("error", [0, 1, -1, ACCURACY - 1, 1 - ACCURACY])
def test_a_client_that_is_accurate_is_not_answered(world: World, error: int) -> None:
    assert ask(world, {"tc": EPOCH * 1000 - 30 + error, "l": 30, "o": 0}) is None


@pytest.mark.parametrize("error", [ACCURACY, -ACCURACY, 60_000])
def test_a_client_that_is_off_by_25_milliseconds_or_more_is_answered(world: World, error: int) -> None:
    assert ask(world, {"tc": EPOCH * 1000 - 30 + error, "l": 30, "o": 0})["a"] == error


def test_a_client_without_a_measurement_is_always_answered(world: World) -> None:
    assert ask(world, {"tc": EPOCH * 1000, "l": 0, "o": 0})["a"] == 0
    assert "a" not in ask(world, {"tc": EPOCH * 1000})
    assert "a" not in ask(world, {"tc": EPOCH * 1000, "o": 5})


def test_the_time_a_connect_was_held_is_said_to_be_the_servers(world: World) -> None:
    client = world.polling().enter()
    poll = client.connect(ext={"timesync": {"tc": EPOCH * 1000}})
    world.advance(12.5)
    world.deliver(client.session, "/a", 1)
    assert poll.reply["ext"]["timesync"] == {"tc": EPOCH * 1000, "ts": EPOCH * 1000, "p": 12_500}


def test_on_a_socket_too(world: World) -> None:
    client = world.socket().enter()
    connect = client.connect(ext={"timesync": {"tc": 1}})
    world.advance(31)
    answer = reply_to(connect, client.messages)["ext"]["timesync"]
    assert answer["p"] == pytest.approx(30_000, abs=51)
    assert answer["ts"] == EPOCH * 1000


def test_every_meta_message_is_answered_and_no_other(world: World) -> None:
    client = world.polling().enter()
    ext = {"timesync": {"tc": 1}}
    for channel in ("/meta/subscribe", "/meta/unsubscribe"):
        assert client.say(channel, subscription="/a", ext=ext)["ext"]["timesync"]["tc"] == 1
    assert "ext" not in client.publish("/a", 1, ext=ext)
    assert "ext" not in client.publish("/service/a", 1, ext=ext)
    assert "ext" in client.say("/meta/disconnect", ext=ext)


def test_without_a_sample_there_is_no_answer(world: World) -> None:
    assert "ext" not in world.polling().handshake()
    assert "ext" not in world.polling().handshake(ext={"ack": True})


GARBAGE: list[object] = [
    None,
    7,
    "now",
    [],
    {},
    {"tc": None},
    {"tc": "1"},
    {"l": 1},
    {"tc": 1, "l": "x"},
    {"tc": True},
    {"tc": int("9" * 400)},
    {"tc": 1e308, "l": 1e308, "o": 1e308},
    {"tc": -1e308, "l": -1e308},
]


@pytest.mark.parametrize("sample", GARBAGE)
def test_garbage_is_ignored_and_the_message_is_answered(world: World, sample: object) -> None:
    assert world.polling().handshake(ext={"timesync": sample})["successful"]
    assert ask(world, sample) is None


@pytest.mark.parametrize("sample", GARBAGE)
def test_garbage_from_a_stranger_harms_nobody(world: World, sample: object) -> None:
    bob = world.socket().enter()
    bob.subscribe("/a")
    world.polling().say("/meta/connect", ext={"timesync": sample})
    world.publish("/a", 1)
    assert bob.data == [1]


def test_what_other_extensions_answered_is_kept(world: World) -> None:
    class Other(TimeSync):
        def outgoing(self, reply: Any, message: Any, turn: Any, now: float) -> None:
            reply.ext = {"other": 1}

    world.core.extensions.set([Other(lambda: 0.0), *world.core.extensions])
    reply = world.polling().handshake(ext={"timesync": {"tc": 1}})
    assert reply["ext"]["other"] == 1
    assert reply["ext"]["timesync"]["tc"] == 1


def test_a_client_that_is_off_by_less_than_25_milliseconds_is_not_answered(world: World) -> None:
    samples = {off: {"tc": EPOCH * 1000 - 10 + off, "l": 10, "o": 0} for off in (-25, -24, 24, 25)}
    assert [off for off, sample in samples.items() if ask(world, sample) is not None] == [-25, 25]


def test_a_message_without_a_sample_or_a_channel_is_none_of_its_business(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """What an extension raises is logged, and the message goes on: so the log has to be looked at."""
    client = world.polling().enter()
    client.subscribe("/a")
    client.say("/meta/subscribe", subscription="/b", ext={"other": 1})
    client.say("no channel", ext={"timesync": {"tc": 1}})
    assert caplog.records == []
