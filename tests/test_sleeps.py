"""Tests wait for what happens, not for time to pass.

Where time itself is the subject, or nothing tells that something has happened, the place is named here with
its reason, and a comment beside it says so. `asyncio.sleep(0)`, one turn of the event loop, is no sleep.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

TESTS = Path(__file__).parent

#: How often a file may sleep, and why.
ALLOWED: Final = {
    "browser/demo_server.py": (1, "nothing tells when the log of another process grows"),
    "browser/slow_links.py": (3, "messages and cuts come at a rate, and nothing tells that no more come"),
    "cli/test_reload.py": (1, "a file is written slowly"),
    "conformance/checks.py": (1, "a server of anybody's has to end a session after so much silence"),
    "deploy/proxies.py": (1, "nothing tells when another program listens"),
    "faults/runs.py": (1, "faults come at random times"),
    "hosts/asgi/test_ending.py": (1, "uvicorn sees that a file has changed by its time in whole seconds"),
    "hosts/asgi/test_pace.py": (1, "a slow application, on a clock that stands still"),
    "hosts/native/test_connection.py": (1, "a slow application, on a clock that stands still"),
    "hosts/serving.py": (1, "uvicorn's own looks at its flags, made more frequent"),
    "hosts/test_polling.py": (1, "publishes come at any time beside polls of 50 ms"),
    "hosts/test_slow_peers.py": (1, "that nothing more is read only shows when time has passed"),
    "identity/test_key_deadline.py": (1, "a server that sends a byte now and then"),
    "interop/app.py": (1, "an answer that takes time"),
    "interop/server.py": (1, "nothing tells when the log of another process grows"),
    "mutants/children.py": (1, "nothing tells when one of several children ends or has had its time"),
}

_SLEEP: Final = re.compile(r"(?<!def )\bsleep\((?!0\))")


def sleeps(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the lines that sleep, each with the line above, by file. Code in strings counts too."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file in sorted(root.rglob("*.py")):
        if file == Path(__file__):
            continue
        lines = file.read_text(encoding="utf-8").splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            if _SLEEP.search(line):
                found.setdefault(file.relative_to(root).as_posix(), []).append((above, line))
    return found


def test_tests_sleep_only_where_the_table_says_so() -> None:
    counts = Counter({name: len(places) for name, places in sleeps(TESTS).items()})
    allowed = Counter({name: count for name, (count, _) in ALLOWED.items()})
    assert counts == allowed, "wait for the event itself, for example with tests/hosts/waiting.py"


@pytest.mark.parametrize("name", ALLOWED)
def test_a_comment_beside_a_sleep_says_why(name: str) -> None:
    for above, line in sleeps(TESTS)[name]:
        assert "#" in line or above.lstrip().startswith("#"), f"{name}: {line.strip()}"


def test_a_sleep_is_found_in_code_and_in_strings_and_a_turn_of_the_loop_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "await asyncio.sleep(0)\ntime.sleep(0.1)\nX = '''\nsleep(1)\n'''\ndef sleep(seconds): ...\n"
    )
    assert sleeps(tmp_path) == {
        "a.py": [("await asyncio.sleep(0)", "time.sleep(0.1)"), ("X = '''", "sleep(1)")]
    }
