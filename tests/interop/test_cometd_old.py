"""The CometD JavaScript client of 2017 to now under Node.js, as npm has it."""

import pytest

from tests.interop.features import Batches, Calls, Features
from tests.interop.running import UnderNode

pytestmark = pytest.mark.interop


class CometD(UnderNode, Features, Batches, Calls):
    """One version of it."""

    script = "cometd_battery/node.mjs"
    transports = ("websocket", "long-polling")


class TestCometD3(CometD):
    """Version 3."""

    client, options = "cometd 3", {"version": "3"}


class TestCometD5(CometD):
    """Version 5."""

    client, options = "cometd 5", {"version": "5"}


class TestCometD7(CometD):
    """Version 7."""

    client, options = "cometd 7", {"version": "7"}


class TestCometD9(CometD):
    """Version 9, which ``test_cometd`` looks at more closely."""

    client, options = "cometd 9", {"version": "9"}
