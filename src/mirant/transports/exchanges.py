"""Which exchange answers an HTTP request: decided once, for every host.

Tests: `tests/transports/test_callback_polling.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from mirant.bus.core import Core
from mirant.bus.request import Request
from mirant.transports.callback_polling import ScriptExchange
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response


def exchange_of(transport: str, core: Core, request: Request, answer: Callable[[Response], bool]) -> Exchange:
    """Return what answers *request*, which speaks *transport*; give it the body to `read`."""
    kind = ScriptExchange if transport == ScriptExchange.transport else Exchange
    return kind(core, request, answer)
