"""Tables of states: each row is there once, every state can be reached, and none is a dead end by mistake."""

import pytest

from mirant.hosts.native.connection_states import AFTER as AFTER_HTTP
from mirant.hosts.native.connection_states import DISCARDS, HttpEvent, HttpState
from mirant.hosts.native.states import Label, Row, transitions
from mirant.hosts.native.states_page import MACHINES, Machine
from mirant.hosts.native.websocket_states import AFTER as AFTER_SOCKET
from mirant.hosts.native.websocket_states import OWES_CLOSE, READS, SocketEvent, SocketState

ALL = pytest.mark.parametrize("machine", MACHINES, ids=[machine.title for machine in MACHINES])


class Tide(Label):
    """States that a test makes rows of."""

    LOW = "low"
    HIGH = "high"


def test_a_pair_with_two_rows_is_a_mistake() -> None:
    row = Row(Tide.LOW, Tide.LOW, Tide.HIGH, "twice")
    with pytest.raises(AssertionError, match="two rows"):
        transitions([row, row])


@ALL
def test_every_state_is_reached_from_the_first(machine: Machine) -> None:
    reached = {next(iter(machine.states))}
    for _ in machine.states:
        reached |= {row.after for row in machine.rows if row.state in reached}
    assert reached == set(machine.states)


@ALL
def test_every_event_changes_something_and_every_row_says_why(machine: Machine) -> None:
    assert {row.event for row in machine.rows} == set(machine.events)
    for row in machine.rows:
        assert row.after is not row.state
        assert row.because.endswith(".")


def test_a_connection_that_ends_never_reads_again() -> None:
    """REFUSING is left by the end of the input, after which there is nothing to read."""
    for state in DISCARDS:
        for event in HttpEvent:
            after = AFTER_HTTP.get((state, event), state)
            assert after in DISCARDS or (state, event) == (HttpState.REFUSING, HttpEvent.END_OF_INPUT)


def test_a_close_frame_is_written_once() -> None:
    for state in SocketState:
        after = AFTER_SOCKET.get((state, SocketEvent.CLOSE_WRITTEN), state)
        assert after not in OWES_CLOSE
        assert (after is not state) == (state in OWES_CLOSE)
    for event in SocketEvent:
        for state in (SocketState.CLOSE_SENT, SocketState.ENDED, SocketState.CLOSED):
            assert AFTER_SOCKET.get((state, event), state) not in OWES_CLOSE


def test_a_websocket_that_stopped_reading_never_reads_again() -> None:
    for state in set(SocketState) - READS:
        for event in SocketEvent:
            assert AFTER_SOCKET.get((state, event), state) not in READS
