"""The CometD JavaScript client in Chromium, as npm has it."""

import pytest
from playwright.sync_api import Browser

from tests.interop.features import Batches, Calls, Features, Report
from tests.interop.running import InPage, open_page, wait_for
from tests.interop.site import Site

pytestmark = pytest.mark.browser


class TestCometDInPage(InPage, Features, Batches, Calls):
    """CometD in a page of the bus's own origin."""

    client = "cometd 9"
    page = "cometd"
    transports = ("websocket", "long-polling", "callback-polling")


class Classic(InPage, Features, Batches, Calls):
    """Older versions, as plain scripts."""

    transports = ("websocket", "long-polling", "callback-polling")


class TestCometD3InPage(Classic):
    """Version 3."""

    client, page = "cometd 3", "cometd-3"


class TestCometD5InPage(Classic):
    """Version 5."""

    client, page = "cometd 5", "cometd-5"


class TestCometD7InPage(Classic):
    """Version 7."""

    client, page = "cometd 7", "cometd-7"


class TestCometDAcrossOrigins(InPage, Features, Batches, Calls):
    """CometD in a page of another origin."""

    client = "cometd 9"
    platform = "Chromium, another origin"
    page = "cometd"
    foreign = True
    transports = ("websocket", "long-polling", "callback-polling")


class TestCometDWithExtensions(InPage, Features, Batches, Calls):
    """CometD with all of its extensions, and everything else as without them."""

    client = "cometd 9"
    page = "cometd-extensions"
    transports = ("websocket", "long-polling", "callback-polling")

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
        assert report["stamped"]["type"] == "string"

    def test_binary(self, report: Report) -> None:
        assert report["binary"] == {"event": "binary", "intact": True, "last": True, "meta": {"name": "all"}}

    def test_reload(self, browser: Browser, site: Site, transport: str) -> None:
        with open_page(browser, site.page("cometd-reload"), site, transport=transport) as page:
            before = wait_for(page, "end")
            page.reload()
            after = wait_for(page, "end")

        assert before["handshaken"]["reloaded"] is False
        assert after["handshaken"] == {**before["handshaken"], "reloaded": True}
        assert after["received"]["data"] == [{"text": "here"}]
