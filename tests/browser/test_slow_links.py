"""mirant.js behind a slow link that breaks: the short form of ``make slow-links``."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.demo_server import DemoServer
from tests.browser.slow_links import Outcome, Run, go, go_large, open_bus

pytestmark = pytest.mark.browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DemoServer]:
    with open_bus(tmp_path) as server:
        yield server


async def _do(url: str, run: Run) -> Outcome:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        outcome = await go(browser, url, run)
        await browser.close()
        return outcome


def test_with_ack_all_arrives_over_a_slow_link_that_breaks(server: DemoServer, transport: str) -> None:
    run = Run(100_000, transport, ack=True, seconds=4, cut_every=2.5, patience=20)
    outcome = asyncio.run(_do(server.url, run))
    assert outcome.faults(run) == []
    assert outcome.cuts > 0
    assert outcome.heard == list(range(outcome.published))


def test_without_ack_all_arrives_over_a_slow_link_that_holds(server: DemoServer, transport: str) -> None:
    run = Run(100_000, transport, ack=False, seconds=3, cut_every=1_000, patience=20)
    outcome = asyncio.run(_do(server.url, run))
    assert outcome.faults(run) == []
    assert outcome.heard == list(range(outcome.published))


def test_one_message_that_takes_longer_than_a_reply_may_arrives_and_what_waits_behind_it_too(
    server: DemoServer,
) -> None:
    """450 kB at 30 kB/s are 15 s, and a WebSocket shows nothing of them before that."""

    async def do() -> Outcome:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            outcome = await go_large(browser, server.url, 30_000, 450_000)
            await browser.close()
            return outcome

    outcome = asyncio.run(do())
    assert outcome.seconds > 10
    assert (outcome.heard, outcome.arrived, outcome.sent) == ([0], [0], {0: "accepted"})
    assert [state.split()[0] for state in outcome.states] == ["connecting", "connected"]
