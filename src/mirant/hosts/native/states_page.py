"""docs/states.md, written from the tables of states::

python -m mirant.hosts.native.states_page > docs/states.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from mirant.hosts.native.connection_states import ROWS as HTTP_ROWS
from mirant.hosts.native.connection_states import HttpEvent, HttpState
from mirant.hosts.native.states import Label, Row
from mirant.hosts.native.websocket_states import AWAITED_ROWS, Awaited, Sign, SocketEvent, SocketState
from mirant.hosts.native.websocket_states import ROWS as SOCKET_ROWS


class Machine(NamedTuple):
    """A table of states with its title; it begins in the first of its *states*."""

    title: str
    states: type[Label]
    events: type[Label]
    rows: Sequence[Row[Any, Any]]


MACHINES: Final = (
    Machine("An HTTP connection", HttpState, HttpEvent, HTTP_ROWS),
    Machine("A WebSocket", SocketState, SocketEvent, SOCKET_ROWS),
    Machine("What a WebSocket's peer must do in time", Awaited, Sign, AWAITED_ROWS),
)

_HEAD: Final = """\
# States of the native host's connections

Each table says what an event makes of a state, and why. An event that has no row changes nothing.
"""

_FOOT: Final = """\
This page is generated: change `connection_states.py` or `websocket_states.py` in `hosts/native`, then run
`python -m mirant.hosts.native.states_page > docs/states.md`.
"""


def states_page(machines: Iterable[Machine] = MACHINES) -> str:
    """Return the page, in Markdown, with a diagram and the tables of each of *machines*."""
    return "\n".join([_HEAD, *map(_section, machines), _FOOT])


def _section(machine: Machine) -> str:
    parts = (
        f"## {machine.title}\n",
        _diagram(machine),
        _table(("state", "what it means"), _meanings(machine.states)),
        _table(("event", "what happens"), _meanings(machine.events)),
        _table(("state", "event", "becomes", "because"), _rows(machine)),
    )
    return "\n".join(parts)


def _diagram(machine: Machine) -> str:
    first = next(iter(machine.states)).name
    arrows = "".join(f"    {row.state.name} --> {row.after.name}: {row.event.name}\n" for row in machine.rows)
    return f"```mermaid\nstateDiagram-v2\n    [*] --> {first}\n{arrows}```\n"


def _meanings(labels: type[Label]) -> Iterator[tuple[str, ...]]:
    for label in labels:
        yield f"`{label.name}`", label.value


def _rows(machine: Machine) -> Iterator[tuple[str, ...]]:
    for row in machine.rows:
        yield f"`{row.state.name}`", f"`{row.event.name}`", f"`{row.after.name}`", row.because


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(states_page())
