"""Every test of a served bus runs twice: by ASGI, and by the native host."""

from collections.abc import Iterator

import pytest

from tests.hosts import serving


@pytest.fixture(scope="module", params=serving.HOSTS, autouse=True)
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    """By which host `serving` serves. A module that concerns one of them only overrides this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "HOST", request.param)
        yield request.param
