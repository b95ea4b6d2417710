"""The ASGI host alone."""

from collections.abc import Iterator

import pytest

from tests.hosts import serving


@pytest.fixture(scope="module", autouse=True)
def host() -> Iterator[str]:
    """By which host `serving` serves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "HOST", "asgi")
        yield "asgi"
