"""Randomised runs: a publisher, a client behind a proxy that breaks its connections, and what must hold.

As a command it makes many of them and prints their seeds::

    python -m tests.faults.runs --runs 1000 --seed 7
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from mirant import Bus, Settings
from mirant.testing import FaultProxy, randomly
from tests.faults.client import FaultClient, PollingClient, SocketClient
from tests.hosts.serving import serving

# Sessions outlive every fault here: what is proved is for sessions that live.
SETTINGS = Settings(timeout=0.2, max_interval=60, max_windows=1_000)

CLIENTS: dict[str, type[PollingClient] | type[SocketClient]] = {
    "long-polling": PollingClient,
    "websocket": SocketClient,
}
LIMIT = 60.0  # seconds for one run; it takes less than one on an idle machine
AT_ONCE = 12


@dataclass(frozen=True)
class Outcome:
    """What came of one run."""

    published: int
    arrived: list[int]
    taken: list[int]
    repeated: list[int]
    failures: int
    connections: int


def check_acknowledged(outcome: Outcome) -> None:
    """With ack: everything arrives, in order; what the client has acknowledged never comes again.

    A message may *arrive* twice only if the connection broke after it came and before the end of the answer
    that it belongs to was there, or the acknowledgement was lost. Who takes messages an answer at a time has
    none twice.
    """
    everything = list(range(outcome.published))
    assert outcome.taken == everything, "lost, reordered or taken twice"
    assert outcome.repeated == [], "came again after it was acknowledged"
    assert list(dict.fromkeys(outcome.arrived)) == everything, "reordered on arrival"


def check_unacknowledged(outcome: Outcome) -> None:
    """Without ack: at most once, in order. What was under way when a connection broke may be missing."""
    assert all(earlier < later for earlier, later in pairwise(outcome.arrived)), "twice, or reordered"
    assert set(outcome.arrived) <= set(range(outcome.published))
    if outcome.failures == 0:
        assert len(outcome.arrived) == outcome.published, "lost although nothing broke"


async def run(bus: Bus, address: str, seed: int, *, transport: str, ack: bool) -> Outcome:
    """Let one client receive what is published while its connections break, all as *seed* has it."""
    dice = random.Random(seed)
    channel = f"/runs/{transport}/{seed}/{ack}"
    host, port = address.split(":")
    plan = randomly(seed, faults=dice.randint(1, 15), share=0.9, reach=dice.choice([400, 1_500, 8_000]))
    async with FaultProxy(host, int(port), plan) as proxy:
        client = CLIENTS[transport](proxy.address, channel, ack=ack)
        try:
            async with asyncio.timeout(LIMIT):
                await client.enter()
            count = dice.randint(20, 120)
            publishing = asyncio.create_task(_publish(bus, channel, count, dice))
            async with asyncio.timeout(LIMIT):
                await (client.receive(count) if ack else client.listen(publishing))
                await publishing
        finally:
            await client.leave()
        return _outcome(client, count, proxy)


async def _publish(bus: Bus, channel: str, count: int, dice: random.Random) -> None:
    number = 0
    while number < count:
        for _ in range(min(dice.choice([1, 1, 1, 2, 5, 12]), count - number)):
            text = "x" * dice.choice([0, 0, 10, 200, 2_000])
            bus.publish_nowait(channel, {"n": number, "text": text})
            number += 1
        # The subject: faults come at any time.
        await asyncio.sleep(dice.choice([0, 0, 0.002, 0.01, 0.03]))


def _outcome(client: FaultClient, count: int, proxy: FaultProxy) -> Outcome:
    return Outcome(count, client.arrived, client.taken, client.repeated, client.failures, proxy.accepted)


Check = Callable[[Outcome], None]


async def many(seeds: range, transports: tuple[str, ...], *, ack: bool) -> list[Outcome]:
    """Make a run for each of *seeds* and *transports*; raise for the first that breaks the rules."""
    check: Check = check_acknowledged if ack else check_unacknowledged
    slots = asyncio.Semaphore(AT_ONCE)
    bus = Bus(settings=SETTINGS)

    async def one(address: str, seed: int, transport: str) -> Outcome:
        async with slots:
            outcome = await run(bus, address, seed, transport=transport, ack=ack)
        try:
            check(outcome)
        except AssertionError as error:
            raise AssertionError(f"seed {seed} over {transport}, ack={ack}: {error}\n{outcome}") from None
        return outcome

    async with serving(bus) as url, asyncio.TaskGroup() as group:
        address = url.removeprefix("http://")
        tasks = [
            group.create_task(one(address, seed, transport)) for seed in seeds for transport in transports
        ]
    return [task.result() for task in tasks]


async def _command(runs: int, seed: int, *, ack: bool) -> None:
    transports = tuple(CLIENTS)
    seeds = range(seed, seed + runs // len(transports))
    say(f"{runs} runs, seeds {seeds.start} to {seeds.stop - 1}, ack={ack}")
    began = time.monotonic()
    outcomes = await many(seeds, transports, ack=ack)
    totals: Counter[str] = Counter()
    for outcome in outcomes:
        totals["published"] += outcome.published
        totals["arrived"] += len(outcome.arrived)
        totals["arrived again before they were acknowledged"] += len(outcome.arrived) - len(
            set(outcome.arrived)
        )
        totals["never arrived"] += outcome.published - len(set(outcome.arrived))
        totals["connections"] += outcome.connections
        totals["requests that failed"] += outcome.failures
    for name, value in totals.items():
        say(f"{value:8} {name}")
    say(f"all rules held, in {time.monotonic() - began:.0f} s")


def say(line: str) -> None:
    """Print *line* at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and make the runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.runs", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--without-ack", action="store_true")
    options = parser.parse_args()
    asyncio.run(_command(options.runs, options.seed, ack=not options.without_ack))


if __name__ == "__main__":
    main()
