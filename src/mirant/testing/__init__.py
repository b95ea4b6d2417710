"""For applications that test themselves against a bus (`docs/testing.md`).

- `World` is a bus without a network, on a clock that stands still: `world`, `frozen_host`.
- Its clients: `clients`, `polling`, `sockets`. What a function may wait for in it: `later`.
- `FaultProxy` breaks the connections of a real network on purpose: `fault_proxy`, `faults`.
"""

from mirant.testing.clients import OFFER, Client, Json, reply_to
from mirant.testing.fault_proxy import FaultProxy
from mirant.testing.faults import ConnectionFault, Direction, FaultKind, FaultPlan, faultless, once, randomly
from mirant.testing.frozen_host import START, FrozenHost
from mirant.testing.later import Later
from mirant.testing.polling import Poll, PollingClient
from mirant.testing.sockets import FakeConnection, SocketClient
from mirant.testing.world import World

__all__ = [
    "OFFER",
    "START",
    "Client",
    "ConnectionFault",
    "Direction",
    "FakeConnection",
    "FaultKind",
    "FaultPlan",
    "FaultProxy",
    "FrozenHost",
    "Json",
    "Later",
    "Poll",
    "PollingClient",
    "SocketClient",
    "World",
    "faultless",
    "once",
    "randomly",
    "reply_to",
]
