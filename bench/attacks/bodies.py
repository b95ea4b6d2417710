"""How long the loop is held by one body of 1 MiB, the worst kind first: ``python -m bench.attacks.bodies``.

To compare two versions, run it with ``PYTHONPATH`` set to the source of each.
"""

from __future__ import annotations

import sys
import time

from fuzz.bodies import MIB, bodies, forms
from mirant.bus.request import Request
from mirant.testing import World
from mirant.transports.long_polling import Exchange

_ROUNDS = 5


def held_by(body: bytes) -> float:
    """Return the milliseconds of CPU time to read *body* as a POST, the least of some rounds."""
    world = World(max_body=MIB)
    least = float("inf")
    for _ in range(_ROUNDS):
        exchange = Exchange(world.core, Request(), lambda response: True)
        began = time.thread_time()
        exchange.read(body)
        least = min(least, time.thread_time() - began)
    return least * 1_000


def main() -> None:
    """Print a line for each kind of body."""
    found = [(held_by(body), name) for name, body in (*bodies(), *forms())]
    for milliseconds, name in sorted(found, reverse=True):
        sys.stdout.write(f"{milliseconds:8.1f} ms  {name}\n")


if __name__ == "__main__":
    main()
