"""Faye's JavaScript client, as npm has it: under Node.js, and in Chromium within and across origins."""

import pytest

from tests.interop.features import Features
from tests.interop.running import InPage, UnderNode


@pytest.mark.interop
class TestFayeUnderNode(UnderNode, Features):
    """Faye under Node.js."""

    client = "faye 1.4"
    script = "faye/node.mjs"
    transports = ("websocket", "long-polling")


@pytest.mark.browser
class TestFayeInPage(InPage, Features):
    """Faye in a page of the bus's own origin."""

    client = "faye 1.4"
    page = "faye-1.4"
    transports = ("websocket", "eventsource", "long-polling", "callback-polling")


@pytest.mark.browser
class TestFayeAcrossOrigins(InPage, Features):
    """Faye in a page of another origin; it shakes hands by callback-polling there."""

    client = "faye 1.4"
    platform = "Chromium, another origin"
    page = "faye-1.4"
    foreign = True
    transports = ("websocket", "cross-origin-long-polling", "callback-polling")
