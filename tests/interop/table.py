"""docs/interop.md: which client does what on which transport, as the tests have seen it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.interop.server import ROOT

PAGE: Final[Path] = ROOT / "docs" / "interop.md"

#: The tests of a client by the heading of their column, and what they prove.
FEATURES: Final = {
    "handshake": ("handshake", "shakes hands and uses the transport named"),
    "publish": ("publish", "subscribes, publishes and gets its own message, beyond ASCII too"),
    "wildcards": (
        "wildcards",
        "subscribes to `/stocks/ny/*` and `/stocks/**`; each hears what it should, once",
    ),
    "order": ("order", "60 messages of its own and 60 of the server's arrive complete and in order"),
    "batch": ("batch", "sends ten messages as one batch"),
    "call": ("remote call", "calls a service, gets its answer, and its error when it fails"),
    "unsubscribe": ("unsubscribe", "hears nothing more after it"),
    "restart": ("restart", "the server is killed and started anew: the client gets a session and goes on"),
    "disconnect": ("disconnect", "its goodbye is answered"),
    "ack": ("ack", "acknowledged delivery is agreed on and its numbers have no gap"),
    "timesync": ("timesync", "learns the server's clock"),
    "timestamp": ("timestamp", "messages carry the time"),
    "binary": ("binary", "bytes arrive as they were sent, in Z85"),
    "reload": ("reload", "a page that is loaded again goes on with its session"),
}

_HEAD: Final = """\
# Clients that work

Written by the tests in `tests/interop`, which run unmodified clients against a server process. `make test`
fails if this page says anything else than they saw; `INTEROP_TABLE=write make test` writes it anew.

A **✓** was seen. An empty cell is something that the client does not have there, or that is not tested.
"""


class Row(NamedTuple):
    """One client, where it runs, on one transport."""

    client: str
    platform: str
    transport: str


def render(seen: Mapping[Row, Iterable[str]]) -> str:
    """Return the page that says what was *seen*: the names of tests that passed, by row."""
    headings = ["client", "runs in", "transport", *(heading for heading, _ in FEATURES.values())]
    lines = [_line(headings), _line("---" for _ in headings)]
    for row in sorted(seen):
        lines.append(_line([*row, *("✓" if name in seen[row] else "" for name in FEATURES)]))
    meanings = [f"- **{heading}**: {meaning}." for heading, meaning in FEATURES.values()]
    return "\n".join([_HEAD, *lines, "", "What was seen:", "", *meanings, ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
