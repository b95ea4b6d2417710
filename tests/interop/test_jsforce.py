"""jsforce, the library for Salesforce, as npm has it: its streaming client under Node.js."""

import pytest

from tests.interop.features import Features
from tests.interop.running import UnderNode


@pytest.mark.interop
class TestJsforce(UnderNode, Features):
    """Version 3. Under Node.js it has long-polling alone."""

    client = "jsforce 3"
    script = "jsforce/node.mjs"
    transports = ("long-polling",)
