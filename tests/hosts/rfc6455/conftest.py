"""Bytes alone, without a host."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """No host at all."""
