"""What can go wrong with a connection, and plans for it. `mirant.testing.fault_proxy` carries them out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What can happen to a connection."""

    CUT = "cut"  # both sides are closed in good order (FIN)
    RESET = "reset"  # both sides are broken off (RST), as by a crash or a firewall
    HALF_CLOSE = "half-close"  # the receiver is told that this was all; the other direction goes on
    STALL = "stall"  # nothing passes any more and nobody is told, as when a cable is pulled
    SPLIT = "split"  # every byte is sent by itself
    REFUSE = "refuse"  # broken off at once: the server never hears of it


class Direction(Enum):
    """The direction of the bytes that a fault counts and concerns."""

    TO_SERVER = "to-server"
    TO_CLIENT = "to-client"


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """What happens to one connection, once *after* bytes have passed in *direction*.

    With *after* = 0 it happens at the first byte, and not before that.
    """

    kind: FaultKind
    direction: Direction = Direction.TO_CLIENT
    after: int = 0


#: Asked with the number of each connection, from 0; returns what happens to it, None for nothing.
FaultPlan = Callable[[int], ConnectionFault | None]


def faultless(number: int) -> ConnectionFault | None:
    """Let nothing happen to any connection: a plan."""
    return None


def once(fault: ConnectionFault) -> FaultPlan:
    """Return a plan by which *fault* happens to the next connection, and nothing to those after it."""
    faults = [fault]
    return lambda number: faults.pop() if faults else None


def randomly(seed: int, *, faults: int, share: float = 0.7, reach: int = 4096) -> FaultPlan:
    """Return a plan that depends on *seed* alone.

    A *share* of the connections is faulty, until there were so many *faults*. Later connections are sound, so
    a client that tries again succeeds in the end. A fault happens within the first *reach* bytes, and early
    more often than late.
    """
    dice = random.Random(seed)
    left = faults

    def plan(number: int) -> ConnectionFault | None:
        nonlocal left
        if left == 0 or dice.random() >= share:
            return None
        left -= 1
        after = int(reach ** dice.random()) - 1
        return ConnectionFault(dice.choice(list(FaultKind)), dice.choice(list(Direction)), after)

    return plan
