"""The table of states: what it allows, and that the client does nothing else."""

import pytest

from mirant.client.states import ACTIVE, TRANSITIONS, Cause, ClientState


def test_every_state_has_a_row_and_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(ClientState)
    reached = {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(ClientState) - {ClientState.UNCONNECTED}


def test_every_cause_is_used() -> None:
    assert {cause for row in TRANSITIONS.values() for cause in row} == set(Cause)


@pytest.mark.parametrize("state", ClientState)
def test_every_state_leads_to_the_end(state: ClientState) -> None:
    seen: set[ClientState] = set()
    ahead = {state}
    while ahead:
        seen |= ahead
        ahead = {after for before in ahead for after in TRANSITIONS[before].values()} - seen
    assert ClientState.DISCONNECTED in seen


def test_a_client_that_comes_back_by_itself_survives_a_broken_connection() -> None:
    assert {TRANSITIONS[state][Cause.BROKEN] for state in ACTIVE} <= ACTIVE
    assert TRANSITIONS[ClientState.DISCONNECTING][Cause.BROKEN] is ClientState.DISCONNECTED


def test_only_a_client_without_a_session_can_begin() -> None:
    begins = {state for state, row in TRANSITIONS.items() if Cause.BEGUN in row}
    assert begins == {ClientState.UNCONNECTED, ClientState.DISCONNECTED}
