"""The native host alone, on a clock that stands still unless a module says that its subject is real time."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.hosts.clock import FrozenLoop


@pytest.fixture(scope="module", autouse=True)
def host() -> str:
    """By which host `serving` serves."""
    return "native"


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Choose the event loop. A module with real sockets has ``REAL_TIME = True``."""
    module = getattr(item, "module", None)
    return {"loop": asyncio.new_event_loop if getattr(module, "REAL_TIME", False) else FrozenLoop}
