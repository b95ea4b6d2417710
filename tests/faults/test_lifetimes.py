"""Sessions that end leave nothing behind. A million of them: ``python -m tests.faults.lifetimes``."""

from pathlib import Path

import pytest

from tests.faults.lifetimes import WARM_UP, Lives, Memory


@pytest.mark.timeout(120)
def test_a_hundred_thousand_sessions_leave_no_memory_behind() -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc")
    lives = Lives()
    lives.pass_by(WARM_UP)
    before = Memory.now()
    lives.pass_by(100_000)
    after = Memory.now()
    assert after.blocks - before.blocks < 2_000  # a fiftieth of a block for each
    assert after.resident - before.resident < 8 * 1024
