"""A client on long-polling."""

from __future__ import annotations

import pytest

from mirant.testing import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_poll_is_held_until_there_is_something_to_say(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    with pytest.raises(AssertionError, match="still held"):
        _ = poll.status
    world.publish("/a", 1)
    assert not poll.held
    assert poll.status == 200
    assert poll.messages == [{"channel": "/a", "data": 1}, poll.reply]
    assert poll.reply["channel"] == "/meta/connect"


def test_a_client_keeps_the_cookie_of_its_browser_unless_told_not_to(world: World) -> None:
    browser, program = world.polling(), world.polling(cookies=False)
    browser.handshake()
    program.handshake()
    browser.connect()
    program.connect()
    assert browser.cookie is not None
    assert browser.session.browser is not None
    assert program.cookie is None
    assert program.session.browser is None


def test_a_client_that_hangs_up_loses_no_message(world: World) -> None:
    client = world.polling().enter()
    client.subscribe("/a")
    poll = client.connect()
    poll.hang_up()
    world.publish("/a", 1)
    assert poll.held
    assert client.connect().messages[0]["data"] == 1


def test_what_is_not_bayeux_is_answered_and_not_remembered(world: World) -> None:
    client = world.polling().enter()
    before = list(client.messages)
    assert client.post(b"hello", content_type="text/plain").status == 400
    assert client.messages == before
