"""dojox.cometd in Chromium, as npm has it, with its extensions: dojo 1.6 and 1.7."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from mirant.hosts.pages import CONTENT_SECURITY_POLICY
from tests.interop.features import Batches, Features, Report
from tests.interop.running import InPage
from tests.interop.site import Site

pytestmark = pytest.mark.browser


#: dojo's loader evaluates what it has fetched.
POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'self' 'unsafe-eval'"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A bus whose own pages may use dojo."""
    site = Site(tmp_path_factory.mktemp("site") / "log", POLICY)
    with site:
        yield site


class Dojox(InPage, Features, Batches):
    """One version of it, with the extensions loaded."""

    transports: ClassVar[tuple[str, ...]] = ("long-polling", "callback-polling")

    def test_ack(self, report: Report) -> None:
        assert report["extensions"]["negotiated"] is True
        # Two answers at least, to the first connect of the second session and to the one after it.
        numbers = report["extensions"]["acknowledged"]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 2

    def test_timesync(self, report: Report) -> None:
        assert report["extensions"]["samples"] >= 1
        # One clock for both; how quick the machine is decides the rest.
        assert abs(report["extensions"]["offset"]) < 1_000

    def test_timestamp(self, report: Report) -> None:
        assert report["extensions"]["stamps"] == ["string"]


class TestDojox16(Dojox):
    """Version 1.6 in a page of the bus's own origin."""

    client, page = "dojox.cometd 1.6", "dojox-1.6"


class TestDojox17(Dojox):
    """Version 1.7 in a page of the bus's own origin."""

    client, page = "dojox.cometd 1.7", "dojox-1.7"


class AcrossOrigins(Dojox):
    """In a page of another origin there is nothing but script elements, for the handshake too."""

    platform, foreign = "Chromium, another origin", True
    transports = ("callback-polling",)


class TestDojox16AcrossOrigins(AcrossOrigins):
    """Version 1.6."""

    client, page = "dojox.cometd 1.6", "dojox-1.6"


class TestDojox17AcrossOrigins(AcrossOrigins):
    """Version 1.7."""

    client, page = "dojox.cometd 1.7", "dojox-1.7"
