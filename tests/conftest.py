"""What all tests share: no failure in the background goes unseen, nothing is skipped in CI, new examples."""

import os
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.failures import no_failures

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Hypothesis's own profile for CI would try the same examples in each run, and so find nothing new. A failure
# prints how to repeat its example. Time limits are pytest's: a slow example on a busy machine is not a fault.
settings.register_profile(
    "mirant",
    deadline=None,
    derandomize=False,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mirant")

IN_CI = bool(os.environ.get("CI"))


def _fail_skipped(report: Report) -> Report:
    """Turn a skip into a failure: a test that cannot run in CI proves nothing.

    An expected failure also counts as skipped; it did run, so it stays what it is.
    """
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, and CI is set: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge what a test function or its fixtures skipped."""
    return _fail_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge what a whole module skipped."""
    return _fail_skipped((yield))


@pytest.fixture(autouse=True)
def worlds_without_failures() -> Iterator[None]:
    """Fail a test in whose worlds code in the background raised, unless the test took those failures out."""
    with no_failures():
        yield
