"""Faye's JavaScript client, as npm has it: under Node.js, and in Chromium within and across origins."""

import pytest

from tests.interop.features import Features
from tests.interop.running import InPage, UnderNode


class OnNode(UnderNode, Features):
    """One version of it under Node.js."""

    pytestmark = pytest.mark.interop
    script = "faye/node.mjs"
    transports = ("websocket", "long-polling")


class TestFaye10UnderNode(OnNode):
    """Version 1.0."""

    client, options = "faye 1.0", {"version": "1.0"}


class TestFaye11UnderNode(OnNode):
    """Version 1.1."""

    client, options = "faye 1.1", {"version": "1.1"}


class TestFaye12UnderNode(OnNode):
    """Version 1.2."""

    client, options = "faye 1.2", {"version": "1.2"}


class TestFayeUnderNode(OnNode):
    """Version 1.4."""

    client, options = "faye 1.4", {"version": "1.4"}


class OwnPage(InPage, Features):
    """One version of it in a page of the bus."""

    pytestmark = pytest.mark.browser
    transports = ("websocket", "eventsource", "long-polling", "callback-polling")


class TestFaye10InPage(OwnPage):
    """Version 1.0."""

    client, page = "faye 1.0", "faye-1.0"


class TestFaye11InPage(OwnPage):
    """Version 1.1."""

    client, page = "faye 1.1", "faye-1.1"


class TestFaye12InPage(OwnPage):
    """Version 1.2."""

    client, page = "faye 1.2", "faye-1.2"


class TestFayeInPage(OwnPage):
    """Version 1.4."""

    client, page = "faye 1.4", "faye-1.4"


class ForeignPage(InPage, Features):
    """One version of it in a page of another origin; it shakes hands by callback-polling there."""

    pytestmark = pytest.mark.browser
    platform = "Chromium, another origin"
    foreign = True
    transports = ("websocket", "cross-origin-long-polling", "callback-polling")


class TestFaye10AcrossOrigins(ForeignPage):
    """Version 1.0, the oldest."""

    client, page = "faye 1.0", "faye-1.0"


class TestFayeAcrossOrigins(ForeignPage):
    """Version 1.4."""

    client, page = "faye 1.4", "faye-1.4"
