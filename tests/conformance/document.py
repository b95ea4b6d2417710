"""docs/conformance.md, written from the table of requirements::

python -m tests.conformance.document
"""

from pathlib import Path
from typing import Final

from tests.conformance.requirements import ELSEWHERE, REQUIREMENTS, Requirement

PATH: Final = Path(__file__).parents[2] / "docs" / "conformance.md"

HEAD: Final = """\
# Conformance to Bayeux 1.0

This page lists each MUST and SHOULD that the [Bayeux 1.0 document][bayeux] requires of a server, in our own
words. Each has the check that proves it (`tests/conformance/checks.py`). Every check runs against Mirant over
long-polling and over WebSocket. It also runs against the server of the npm package `faye`, which shows that
the check can fail. Sections are named as in the document.

[bayeux]: https://docs.cometd.org/current/reference/#_bayeux

This page is generated: change `tests/conformance/requirements.py`, then run
`python -m tests.conformance.document`.

"""


def document() -> str:
    """Return the page."""
    parts = [HEAD, *_summary(), *_table(), *_reasons(), *_elsewhere()]
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def _summary() -> list[str]:
    lines = []
    for level in ("MUST", "SHOULD"):
        rows = [row for row in REQUIREMENTS if row.level == level]
        met = [row for row in rows if not row.expected_to_fail("mirant", "")]
        lines.append(f"- {level}: Mirant meets {len(met)} of {len(rows)}.")
    return [*lines, ""]


def _table() -> list[str]:
    lines = ["| section | | what is required | check | Mirant | Faye |", "|---|---|---|---|---|---|"]
    for row in REQUIREMENTS:
        verdicts = " | ".join(_verdict(row, server) for server in ("mirant", "faye"))
        only = "" if len(row.transports) > 1 else " (over HTTP)"
        lines.append(f"| {row.section} | {row.level} | {row.text}{only} | `{row.name}` | {verdicts} |")
    return [*lines, ""]


def _verdict(row: Requirement, server: str) -> str:
    failing = [transport for transport in row.transports if row.expected_to_fail(server, transport)]
    if not failing:
        return "yes"
    return "no" if len(failing) == len(row.transports) else f"not over {failing[0]}"


def _reasons() -> list[str]:
    lines = ["## Where a server deviates", ""]
    for row in REQUIREMENTS:
        for server, reason in row.unmet.items():
            lines.append(
                f"- `{row.name}`, {server.replace('mirant', 'Mirant').replace('faye', 'Faye')}: {reason}"
            )
    return [*lines, ""]


def _elsewhere() -> list[str]:
    lines = [
        "## What the document requires of clients and applications",
        "",
        "| section | | what is required |",
    ]
    lines.append("|---|---|---|")
    lines += [f"| {section} | {level} | {text} |" for section, level, text in ELSEWHERE]
    return [*lines, ""]


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
