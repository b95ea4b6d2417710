"""The bus as an ASGI application."""

import pytest

from mirant import Bus
from tests.hosts.test_mount import lifespan_of


async def test_a_scope_of_another_type() -> None:
    with pytest.raises(NotImplementedError, match="'mail'"):
        await lifespan_of(Bus(), "mail")
