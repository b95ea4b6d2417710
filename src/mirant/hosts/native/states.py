"""Tables of states: what an event makes of a state, and why. `docs/states.md` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Generic, NamedTuple, TypeVar


class Label(Enum):
    """A state or an event. Its value is the sentence that says what it means."""

    # `Enum.__hash__` is written in Python: with it a transition takes 0.27 µs, with this one 0.14.
    __hash__ = object.__hash__


S = TypeVar("S", bound=Label)
E = TypeVar("E", bound=Label)


class Row(NamedTuple, Generic[S, E]):
    """One row of a table: in *state*, *event* leads to *after*, *because* of a reason or a rule of an RFC."""

    state: S
    event: E
    after: S
    because: str


def transitions(rows: Iterable[Row[S, E]]) -> Mapping[tuple[S, E], S]:
    """Return which state follows a state and an event. A pair that has no row changes nothing."""
    table: dict[tuple[S, E], S] = {}
    for row in rows:
        assert (row.state, row.event) not in table, f"two rows for {row.state} and {row.event}"
        table[row.state, row.event] = row.after
    return table
