"""docs/interop.md: which client does what on which transport, as the tests have seen it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.interop.server import ROOT

PAGE: Final[Path] = ROOT / "docs" / "interop.md"

#: The tests of a client by the heading of their column, and what they prove.
FEATURES: Final = {
    "handshake": ("handshake", "the client handshakes and uses the transport that is named"),
    "publish": ("publish", "it subscribes, publishes and gets its own message, with letters beyond ASCII"),
    "wildcards": (
        "wildcards",
        "it subscribes to `/stocks/ny/*` and `/stocks/**`; each subscription gets its messages, once",
    ),
    "order": ("order", "60 messages of its own and 60 of the server's arrive complete and in order"),
    "batch": ("batch", "it sends ten messages as one batch"),
    "call": ("remote call", "it calls a service, and gets the answer, or the error if the call fails"),
    "unsubscribe": ("unsubscribe", "it gets no more messages afterwards"),
    "restart": (
        "restart",
        "the server is killed and started again: the client gets a new session and goes on",
    ),
    "disconnect": ("disconnect", "its disconnect is answered"),
    "ack": ("ack", "client and server agree on acknowledged delivery, and its numbers have no gap"),
    "timesync": ("timesync", "it learns the server's clock"),
    "timestamp": ("timestamp", "messages have the time"),
    "binary": ("binary", "bytes arrive as they were sent, in Z85"),
    "reload": ("reload", "a page that is loaded again goes on with its session"),
}

_HEAD: Final = """\
# Clients that work

The tests in `tests/interop` write this page. They run unmodified clients against a server process.
`make test` fails if the page differs from their results. `INTEROP_TABLE=write make test` writes it again.

A **✓** means that the test passed. An empty cell means that the client lacks the feature there, or that there
is no test.
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
