"""The ASGI host alone."""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.hosts import serving
from tests.hosts.clock import FrozenLoop


@pytest.fixture(scope="module", autouse=True)
def host() -> Iterator[str]:
    """By which host `serving` serves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "HOST", "asgi")
        yield "asgi"


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Choose the event loop. On a module with ``FROZEN_TIME = True`` the clock stands still."""
    module = getattr(item, "module", None)
    return {"loop": FrozenLoop if getattr(module, "FROZEN_TIME", False) else asyncio.new_event_loop}
