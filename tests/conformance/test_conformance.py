"""Mirant, and Faye's server beside it, against every requirement of Bayeux 1.0."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio

from mirant import Bus, Handshake, Identity, Settings
from tests.conformance import checks
from tests.conformance.checks import Bench
from tests.conformance.document import PATH, document
from tests.conformance.party import TRANSPORTS
from tests.conformance.requirements import REQUIREMENTS, Requirement
from tests.hosts.serving import ROOT, serving

SETTINGS = Settings(timeout=1, max_interval=1, windows_interval=0.2)
CASES = [
    pytest.param(requirement, transport, id=f"{requirement.name}-{transport}")
    for requirement, transport in product(REQUIREMENTS, TRANSPORTS)
    if transport in requirement.transports
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mirant() -> AsyncIterator[str]:
    """Serve a bus that refuses handshakes with ``ext.stranger``."""
    bus = Bus(settings=SETTINGS)

    @bus.authenticate
    def who(handshake: Handshake) -> Identity | None:
        return None if handshake.ext.get("stranger") else Identity("anyone")

    async with serving(bus, bus.mount(bus)) as origin:
        yield f"{origin}/cometd"


@pytest.fixture(scope="module")
def faye() -> Iterator[str]:
    """Serve with Faye's server."""
    modules = Path(os.environ.get("FAYE_MODULES", ROOT))
    node = shutil.which("node")
    if node is None or not (modules / "node_modules" / "faye").is_dir():
        pytest.skip("needs Node.js and the npm packages: run `make interop`")
    script = Path(__file__).with_name("faye_server.mjs")
    process = subprocess.Popen(
        [node, str(script)], cwd=modules, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/cometd"
    finally:
        process.kill()
        process.communicate()


async def meets(url: str, requirement: Requirement, transport: str) -> bool:
    """Say whether the server at *url* meets *requirement* over *transport*."""
    try:
        async with AsyncExitStack() as stack:
            await requirement.check(Bench(url, transport, stack))
    except (TimeoutError, AssertionError, KeyError):
        return False
    return True


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("requirement", "transport"), CASES)
async def test_mirant(mirant: str, requirement: Requirement, transport: str) -> None:
    if requirement.expected_to_fail("mirant", transport):
        assert not await meets(mirant, requirement, transport), "met; it is listed as not"
        return
    async with AsyncExitStack() as stack:
        await requirement.check(Bench(mirant, transport, stack))


@pytest.mark.interop
@pytest.mark.parametrize(("requirement", "transport"), CASES)
async def test_faye(faye: str, requirement: Requirement, transport: str) -> None:
    met = await meets(faye, requirement, transport)
    assert met is not requirement.expected_to_fail("faye", transport)


def test_every_check_belongs_to_a_requirement() -> None:
    defined = {
        name
        for name, value in vars(checks).items()
        if asyncio.iscoroutinefunction(value) and value.__module__ == checks.__name__
    }
    assert defined == {requirement.name for requirement in REQUIREMENTS}


def test_the_document_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == document(), "run: python -m tests.conformance.document"
