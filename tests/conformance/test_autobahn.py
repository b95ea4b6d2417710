"""The cases of the Autobahn test suite, by PyPI's ``kosoku``, against the native host's WebSocket.

The connection under test is the one that serves Bayeux, on the server that ``mirant serve`` runs, but for one
method: it sends every message back. Group 9 (messages of up to 16 MiB, and speed) and groups 12 and 13
(compression, which is not offered) are left out here; group 9 by hand::

    python -m tests.conformance.autobahn_echo --port 9001 &
    kosoku 127.0.0.1:9001 -i '9.*' -o /tmp/autobahn
"""

import pytest
from kosoku import FailureError, run_fuzzingclient

from tests.conformance.autobahn_echo import echoing

GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
CASES = 247

#: What the suite says of cases without a right answer: it only tells how a server behaves there.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


@pytest.mark.timeout(60)
async def test_every_case_passes_strictly() -> None:
    async with echoing() as url:
        try:
            results = await run_fuzzingclient(url, GROUPS, concurrency=8)
        except FailureError as failure:
            results = failure.results

    verdicts = {result.case_id: (result.behavior.value, result.behavior_close.value) for result in results}
    odd = {case: verdict for case, verdict in verdicts.items() if verdict != ("OK", "OK")}
    assert odd == dict.fromkeys(INFORMATIONAL, ("INFORMATIONAL", "INFORMATIONAL"))
    assert len(verdicts) == CASES
