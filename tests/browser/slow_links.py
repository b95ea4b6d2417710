"""mirant.js in Chromium, behind a link that is slow and breaks every 20 s.

As a command it does twelve such runs, and two with one large message behind which another one waits::

    python -m tests.browser.slow_links

One page gets what another one publishes, which has a good link; and it publishes itself. With the ack
extension all must arrive, once and in order. Without it what arrives is in order and comes once, and only
what was on its way when the link broke may be missing (`docs/guarantees.md`, case 2).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from mirant.testing import FaultProxy
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.demo_server import DemoServer

#: How much of what the link can carry is published.
LOAD = 0.5
#: Bytes of one message: most are small, and some take a while on a slow link.
SIZES = (200, 2_000, 200, 20_000, 200, 60_000)

#: Bytes per second, and bytes of one message.
LARGE = ((30_000, 450_000), (30_000, 1_000_000))

_JOIN = """async ([url, transport, ack]) => {
  const { Ack, Mirant } = await import(`${url}/mirant.js`);
  globalThis.heard = [];
  globalThis.states = [];
  const extensions = ack ? [new Ack()] : [];
  globalThis.bus = new Mirant(url, { transports: [transport], extensions, maxQueue: 10_000 });
  bus.addEventListener("state", ({ detail }) => states.push(`${detail.state} ${detail.reason}`));
  bus.addEventListener("error", (event) => event.preventDefault());
  await bus.connect();
}"""
_LISTEN = "(channel) => bus.subscribe(channel, ({ data }) => heard.push(data.n)).then(() => true)"
_PUBLISH = """([channel, n, size]) => {
  globalThis.sent ??= {};
  const accepted = () => (sent[n] = "accepted");
  const failed = ({ code }) => (sent[n] = code ? "refused" : "in doubt");
  bus.publish(channel, { n, text: "x".repeat(size) }).then(accepted, failed);
}"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: *rate* bytes per second each way; it ends when nothing has come for *patience* seconds."""

    rate: int
    transport: str
    ack: bool
    seconds: float
    cut_every: float
    patience: float

    def __str__(self) -> str:
        return f"{self.rate // 1000} kB/s, {self.transport}, {'ack' if self.ack else 'no ack'}"


@dataclass(slots=True)
class Outcome:
    """What became of the messages of a run."""

    published: int = 0
    heard: list[int] = field(default_factory=list)
    sent: dict[int, str] = field(default_factory=dict)
    arrived: list[int] = field(default_factory=list)
    cuts: int = 0
    seconds: float = 0.0
    states: list[str] = field(default_factory=list)

    def faults(self, run: Run) -> list[str]:
        """Return what should not have been."""
        faults = []
        for name, numbers in (("down", self.heard), ("up", self.arrived)):
            if any(later <= earlier for earlier, later in pairwise(numbers)):
                faults.append(f"{name}: twice or out of order: {numbers}")
        if run.ack and len(self.heard) < self.published:
            faults.append(f"down: {self.published - len(self.heard)} of {self.published} are missing")
        if not run.ack and len(self.heard) < self.published * (0.5 if self.cuts else 1):
            faults.append(f"down: only {len(self.heard)} of {self.published} arrived")
        lost = [n for n, fate in self.sent.items() if fate == "accepted" and n not in self.arrived]
        if lost:
            faults.append(f"up: accepted and lost: {lost}")
        refused = [n for n, fate in self.sent.items() if fate == "refused"]
        if refused:
            faults.append(f"up: refused: {refused}")
        return faults


async def go(browser: Browser, server: str, run: Run) -> Outcome:
    """Do one *run* against the bus at *server*, ``http://host:port/path``."""
    host, _, port = server.split("/")[2].partition(":")
    path = "/" + server.split("/", 3)[3]
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    async with FaultProxy(host, int(port), rate=run.rate) as proxy:
        here, there = await browser.new_context(), await browser.new_context()
        try:
            near = await _join(await there.new_page(), server, "websocket", ack=True)
            far = await _join(
                await here.new_page(), f"http://{proxy.address}{path}", run.transport, ack=run.ack
            )
            await near.evaluate(_LISTEN, "/demo/up")
            await far.evaluate(_LISTEN, "/demo/down")
            began = loop.time()
            cutting = asyncio.create_task(_cut(proxy, run.cut_every, outcome))
            for number, size in _plan(run):
                await near.evaluate(_PUBLISH, ["/demo/down", number, size])
                if number % 5 == 0:
                    await far.evaluate(_PUBLISH, ["/demo/up", number, size // 4])
                outcome.published += 1
                # As fast as the run says.
                await asyncio.sleep(size / (run.rate * LOAD))
            await _settle(far, run, outcome)
            outcome.seconds = loop.time() - began
            cutting.cancel()
            outcome.arrived = await near.evaluate("heard")
            outcome.states = await far.evaluate("states")
        finally:
            await here.close()
            await there.close()
    return outcome


async def go_large(browser: Browser, server: str, rate: int, size: int) -> Outcome:
    """Let a page with *rate* bytes per second get one message of *size* bytes, and publish while it comes.

    All in one WebSocket without ack, which shows nothing of a message before all of it is there.
    """
    host, _, port = server.split("/")[2].partition(":")
    outcome = Outcome(published=1)
    loop = asyncio.get_running_loop()
    async with FaultProxy(host, int(port)) as proxy:
        context = await browser.new_context()
        try:
            near = await _join(await context.new_page(), server, "websocket", ack=True)
            address = f"http://{proxy.address}/{server.split('/', 3)[3]}"
            far = await _join(await context.new_page(), address, "websocket", ack=False)
            await near.evaluate(_LISTEN, "/demo/up")
            await far.evaluate(_LISTEN, "/demo/down")
            proxy.rate = rate
            began = loop.time()
            await near.evaluate(_PUBLISH, ["/demo/down", 0, size])
            await near.wait_for_function("sent[0]")
            await far.evaluate(_PUBLISH, ["/demo/up", 0, 100])
            run = Run(rate, "websocket", ack=False, seconds=0, cut_every=0, patience=3 * size / rate)
            await _settle(far, run, outcome)
            outcome.seconds = loop.time() - began
            outcome.arrived = await near.evaluate("heard")
            outcome.states = await far.evaluate("states")
        finally:
            await context.close()
    return outcome


async def _join(page: Page, url: str, transport: str, *, ack: bool) -> Page:
    await page.goto(url, timeout=60_000)
    await page.evaluate(_JOIN, [url, transport, ack])
    return page


def _plan(run: Run) -> list[tuple[int, int]]:
    """Return the numbers and sizes of the messages of a run."""
    plan: list[tuple[int, int]] = []
    left = run.rate * LOAD * run.seconds
    while left > 0:
        size = SIZES[len(plan) % len(SIZES)]
        plan.append((len(plan), size))
        left -= size
    return plan


async def _cut(proxy: FaultProxy, every: float, outcome: Outcome) -> None:
    while True:
        await asyncio.sleep(every)  # the link breaks at these times
        proxy.break_all()
        outcome.cuts += 1


async def _settle(far: Page, run: Run, outcome: Outcome) -> None:
    """Wait until all is there, or nothing has come for a while."""
    loop = asyncio.get_running_loop()
    quiet_since = loop.time()
    while loop.time() - quiet_since < run.patience:
        facts: Any = await far.evaluate("({ heard, sent: globalThis.sent ?? {} })")
        sent = {int(number): fate for number, fate in facts["sent"].items()}
        if len(facts["heard"]) > len(outcome.heard) or len(sent) > len(outcome.sent):
            quiet_since = loop.time()
        outcome.heard, outcome.sent = facts["heard"], sent
        if len(outcome.heard) >= outcome.published and len(sent) >= (outcome.published + 4) // 5:
            return
        await asyncio.sleep(0.1)  # a page in another process tells nothing by itself


async def main() -> int:
    """Do the runs that the command line asks for, and print a line for each; return how many were wrong."""
    options = _parser().parse_args()
    runs = [
        Run(rate * 1000, transport, ack, options.seconds, options.cut_every, 3 * options.cut_every)
        for rate in options.rates
        for transport in options.transports
        for ack in (True, False)
    ]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, open_bus(Path(folder)) as server:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for run in runs:
                outcome = await go(browser, server.url, run)
                wrong += bool(outcome.faults(run))
                sys.stdout.write(_report(run, outcome))
                sys.stdout.flush()
            for rate, size in LARGE:
                outcome = await go_large(browser, server.url, rate, size)
                complete = outcome.heard == outcome.arrived == [0] and outcome.sent == {0: "accepted"}
                wrong += not complete
                fate = "arrived" if complete else f"{outcome}"
                sys.stdout.write(
                    f"{rate // 1000} kB/s, one message of {size // 1000} kB: {fate}"
                    f" in {outcome.seconds:.0f} s\n"
                )
            await browser.close()
    return wrong


def open_bus(folder: Path) -> DemoServer:
    """Return a server whose bus lets anybody do anything; it logs into *folder*."""
    return DemoServer(folder / "server.log", ("serve", "tests.browser.open_bus:bus"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="mirant.js behind a link that is slow and breaks.")
    parser.add_argument("--rates", type=int, nargs="+", default=[20, 50, 200], metavar="KB/S")
    parser.add_argument("--transports", nargs="+", default=["websocket", "long-polling"])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long is published in each run")
    parser.add_argument("--cut-every", type=float, default=20.0, metavar="SECONDS")
    return parser


def _report(run: Run, outcome: Outcome) -> str:
    lines = [
        f"{run}: {len(outcome.heard)} of {outcome.published} arrived in {outcome.seconds:.0f} s,"
        f" {outcome.cuts} cuts; up: {len(outcome.arrived)} of {len(outcome.sent)}"
    ]
    faults = outcome.faults(run)
    if faults:
        lines += [f"    {line}" for line in (*faults, *outcome.states[-12:])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
