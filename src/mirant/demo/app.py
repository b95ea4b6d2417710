"""The bus behind the demo pages."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import Raw

from mirant import Bus, Caller
from mirant.demo.chat import Chat
from mirant.demo.tokens import Issuer

PAGES = Path(__file__).parent / "pages"

#: The policy of the demo. It is commented, because visitors read it.
POLICY = Path(__file__).parent / "mirant.toml"


def create_bus(*, wall_clock: Callable[[], float] = time.time, issuer: Issuer | None = None) -> Bus:
    """Return a bus with the demo's pages, its chat and its remote calls, under the policy of the demo.

    Every channel the demo does not use is open: any Bayeux client can be tried against it. *wall_clock* is
    the time of day in seconds since 1970, as the pages show it. *issuer* signs the tokens of the chat's
    members; by default it is a new one with a secret of its own.
    """
    issuer = issuer or Issuer()
    bus = Bus(POLICY, environ={"MIRANT_TOKEN_SECRET": issuer.secret}, pages=PAGES, wall_clock=wall_clock)
    bus.rpc("/echo")(echo)
    bus.rpc("/demo/policy")(partial(policy, POLICY.read_text(encoding="utf-8")))
    Chat(bus, issuer, wall_clock=wall_clock).attach()
    return bus


def echo(caller: Caller, data: Raw) -> Raw:
    """Answer ``/service/echo`` with the very bytes that were sent, so that no number is rounded."""
    return data


def policy(text: str, caller: Caller, data: Raw) -> str:
    """Answer ``/service/demo/policy`` with the *text* of the policy file. There is no secret in it."""
    return text
