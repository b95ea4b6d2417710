"""The native host alone."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def host() -> str:
    """By which host `serving` serves."""
    return "native"
