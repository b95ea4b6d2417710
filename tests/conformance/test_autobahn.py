"""The cases of the Autobahn test suite, by PyPI's ``kosoku``, against the native host's WebSocket.

The connection under test is the one that serves Bayeux, on the server that ``mirant serve`` runs, but for one
method: it sends every message back. Groups 12 and 13 (compression, which is not offered) are left out.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.autobahn_echo import echoing

GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
CASES = 301

#: What the suite says of cases without a right answer: it only tells how a server behaves there.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


async def run_suite(url: str, report: Path) -> dict[str, Any]:
    """Run the cases of `GROUPS` against *url*; return what the suite found, by case.

    In a process of its own: on import the suite puts its own ``pkg_resources`` in front of setuptools'.
    """
    groups = [word for group in GROUPS for word in ("--include", group)]
    command = [str(Path(sys.executable).with_name("kosoku")), url, *groups]
    suite = await asyncio.create_subprocess_exec(*command, "--parallelism", "8", "--outdir", str(report))
    try:
        await suite.wait()
    finally:
        if suite.returncode is None:
            suite.kill()
            await suite.wait()
    (found,) = json.loads((report / "index.json").read_text()).values()
    assert isinstance(found, dict)
    return found


@pytest.mark.timeout(120)
async def test_every_case_passes_strictly(tmp_path: Path) -> None:
    async with echoing() as url:
        found = await run_suite(url, tmp_path)

    verdicts = {case: (result["behavior"], result["behaviorClose"]) for case, result in found.items()}
    odd = {case: verdict for case, verdict in verdicts.items() if verdict != ("OK", "OK")}
    assert odd == dict.fromkeys(INFORMATIONAL, ("INFORMATIONAL", "INFORMATIONAL"))
    assert len(verdicts) == CASES
