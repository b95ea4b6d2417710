"""Sessions that end while the application is told of another's end."""

import pytest

from mirant.bus.extension import Extension
from mirant.services.face import SessionFace
from mirant.testing import PollingClient, World


def test_a_chain_of_sessions_that_end_each_other_does_not_run_out_of_stack() -> None:
    world = World()
    clients = [world.polling().enter() for _ in range(1_000)]
    left: list[SessionFace] = []

    @world.services.on_leave
    def dismiss_next(session: SessionFace) -> None:
        left.append(session)
        if len(left) < len(clients):
            world.core.dismiss(clients[len(left)].session)

    clients[0].disconnect()
    assert len(left) == len(clients)
    world.advance(0)
    assert not world.core.sessions


def test_a_session_that_is_dismissed_because_another_is_full_gets_the_rest_of_that_tick() -> None:
    """Both happen in one flush; what it was about to hand out comes first."""
    world = World(max_outbox=1_000)
    slow, other = world.polling().enter(), world.polling().enter()
    slow.subscribe("/a")
    other.subscribe("/a")
    world.publish("/a", "x" * 900)
    assert [each["data"] for each in other.connect().messages[:-1]] == ["x" * 900]
    poll = other.connect()

    @world.services.on_leave
    def dismiss_other(session: SessionFace) -> None:
        if other.alive:
            world.core.dismiss(other.session)

    world.publish("/a", "y" * 500)  # is too much for the slow one
    assert not slow.alive
    assert poll.messages[0]["data"] == "y" * 500
    world.settle()
    assert not other.alive


def test_the_application_is_told_when_its_session_is_gone() -> None:
    world = World()
    client = world.polling().enter()
    seen: list[bool] = []
    world.services.on_leave(lambda session: seen.append(client.alive))
    client.disconnect()
    assert seen == [False]


@pytest.mark.parametrize("times", [1, 3])
def test_a_function_that_dismisses_the_session_that_ended_changes_nothing(times: int) -> None:
    world = World()
    client = world.polling().enter()
    told: list[SessionFace] = []

    @world.services.on_leave
    def again(session: SessionFace) -> None:
        told.append(session)
        for _ in range(times):
            world.dismiss(session)

    client.disconnect()
    assert len(told) == 1


def test_a_function_may_publish_while_a_flush_ends_sessions() -> None:
    world = World(max_outbox=100)
    listener = world.polling().enter()
    listener.subscribe("/left")
    slow: list[PollingClient] = [world.polling().enter() for _ in range(3)]
    for client in slow:
        client.subscribe("/a")
    world.publish("/a", "x" * 60)
    world.services.on_leave(lambda session: world.publish("/left", 1))
    world.publish("/a", "y" * 60)
    assert [each["data"] for each in listener.connect().messages[:-1]] == [1, 1, 1]


def test_an_extension_that_is_never_awaited_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="only `incoming` may be async"):

        class Waits(Extension):
            async def outgoing(self, *facts: object) -> None:  # type: ignore[override]  # that is the mistake
                """Do nothing."""


def test_a_function_that_fails_is_told_by_the_name_it_was_registered_under(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    client = world.polling().enter()

    @world.services.on_leave
    def fail(session: SessionFace) -> None:
        raise RuntimeError

    client.disconnect()
    [line] = [message for message in caplog.messages if message.startswith("hook.failed")]
    assert " hook=on_leave" in line
