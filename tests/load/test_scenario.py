"""The scenario: who is in which room, the same in every process."""

import pytest

from mirant.load.scenario import Scenario, ScenarioInvalid, Share


def test_every_client_is_in_as_many_rooms_as_asked_for() -> None:
    scenario = Scenario(clients=200, rooms=30, rooms_per_client=4)

    assert len(scenario.rooms_of) == 200
    assert all(len(set(rooms)) == 4 and set(rooms) <= set(range(30)) for rooms in scenario.rooms_of)
    assert all(
        (client in scenario.members[room]) == (room in scenario.rooms_of[client])
        for client in range(200)
        for room in range(30)
    )


def test_the_reference_run_has_about_a_hundred_deliveries_for_a_publish() -> None:
    assert Scenario().fan_out == pytest.approx(100, rel=0.02)


def test_the_seed_decides_who_is_where() -> None:
    assert Scenario(clients=50).rooms_of == Scenario(clients=50).rooms_of
    assert Scenario(clients=50).rooms_of != Scenario(clients=50, seed=2).rooms_of


def test_rooms_that_nobody_is_in_are_not_published_to() -> None:
    scenario = Scenario(clients=1, rooms=10, rooms_per_client=2)

    assert sorted(scenario.filled) == sorted(scenario.rooms_of[0])


def test_shares_make_up_the_whole() -> None:
    scenario = Scenario(clients=10)
    shares = [Share(worker, 3) for worker in range(3)]

    assert sorted(client for share in shares for client in share.clients(scenario)) == list(range(10))
    assert all(share.has(client) for share in shares for client in share.clients(scenario))


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"clients": 0}, "clients = 0"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"message_size": -1}, "message_size = -1"),
        ({"rooms": 3, "rooms_per_client": 4}, "cannot be in 4 rooms when there are 3"),
    ],
)
def test_what_cannot_be_played_is_refused(numbers: dict[str, int], reason: str) -> None:
    with pytest.raises(ScenarioInvalid, match=reason):
        Scenario(**numbers)  # type: ignore[arg-type]  # all of these are numbers
