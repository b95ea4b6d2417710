"""The options of a bus: each declared once, with its unit, its default and the reason for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final, Literal, get_args

from mirant.bus.outbox import Overflow

Unit = Literal["duration", "size", "count", "names", "origins", "overflow", "switch"]

KIB: Final = 1024
MIB: Final = 1024 * KIB

#: The transports there are, the preferred first.
TRANSPORTS: Final = (
    "websocket",
    "eventsource",
    "long-polling",
    "cross-origin-long-polling",
    "callback-polling",
)

# Polling by script tags reads nothing but what the page next door could read too, and it cannot be told
# from an attack by its request alone. Whoever needs it says so.
_DEFAULT_TRANSPORTS: Final = TRANSPORTS[:-1]


class SettingsError(ValueError):
    """An option that does not exist or has a value that cannot be; the text says which and what would do."""


def _option(table: str, unit: Unit, sentence: str, *, default: Any) -> Any:
    return field(default=default, metadata={"table": table, "unit": unit, "sentence": sentence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a bus behaves. Durations are seconds, sizes bytes."""

    # CometD and Faye clients wait this long plus 10 s; proxies commonly cut idle requests at 60 s.
    timeout: float = _option(
        "session", "duration", "How long a /meta/connect with nothing to say is held.", default=30.0
    )
    interval: float = _option(
        "session", "duration", "How long a client waits between two /meta/connect.", default=0.0
    )
    # CometD's default: long enough for a page reload or a change of network, short enough to notice.
    max_interval: float = _option(
        "session", "duration", "How long a session lives on without hearing from its client.", default=10.0
    )
    transports: tuple[str, ...] = _option(
        "transports", "names", "The transports offered, the preferred first.", default=_DEFAULT_TRANSPORTS
    )
    # Browsers open six connections to a host over HTTP/1.1; two windows that poll must leave some for pages.
    max_windows: int = _option(
        "windows", "count", "How many windows of a browser may each hold a poll over HTTP/1.1.", default=1
    )
    # CometD's multiSessionInterval.
    windows_interval: float = _option(
        "windows", "duration", "How often the other windows of a browser poll.", default=2.0
    )
    # Pages of the bus's own origin may always connect, and so may clients that are no browsers.
    allow_origins: tuple[str, ...] = _option(
        "origins",
        "origins",
        "Other origins whose pages may connect, such as https://example.org.",
        default=(),
    )
    # As much as the `websockets` and CometD Java clients accept from us.
    max_body: int = _option(
        "limits", "size", "Largest HTTP body or WebSocket message accepted.", default=1 * MIB
    )
    # CometD: unlimited. A page that opens 200 subscriptions at once sends 200.
    max_batch: int = _option("limits", "count", "Most messages in one body.", default=1_000)
    # At about 4 KiB each: 400 MiB. Handshakes beyond it are refused; the sessions there are go on.
    max_sessions: int = _option("limits", "count", "Most sessions at a time.", default=100_000)
    max_subscriptions: int = _option("limits", "count", "Most subscriptions of one session.", default=1_000)
    # Four full bodies. A client that lags further behind is disconnected rather than waited for.
    max_outbox: int = _option("limits", "size", "Most bytes that wait for one session.", default=4 * MIB)
    overflow: Overflow = _option(
        "delivery", "overflow", "What gives way when an outbox is full.", default="disconnect"
    )
    echo: bool = _option(
        "delivery", "switch", "Whether a publisher who subscribed gets its own message.", default=True
    )
    # Strict order, for the price of one more request per delivery.
    connect_only: bool = _option(
        "delivery", "switch", "Whether messages leave with answers to /meta/connect only.", default=False
    )
    with_handshake: bool = _option(
        "delivery",
        "switch",
        "Whether what waits for a new session comes with its handshake's reply.",
        default=False,
    )
    # A page that loads asks a handful; each may hold a task of the application.
    max_calls: int = _option("limits", "count", "Most unanswered remote calls of one session.", default=100)

    @classmethod
    def read(cls, tables: Mapping[str, object]) -> Settings:
        """Return the settings that *tables*, such as a parsed TOML file, ask for.

        Raises:
            SettingsError: a table or option is unknown, or a value is of the wrong kind.
        """
        known = {(option.metadata["table"], option.name): option.metadata["unit"] for option in fields(cls)}
        given: dict[str, Any] = {}
        for table, options in tables.items():
            _check_name(table, sorted({name for name, _ in known}), "table")
            if not isinstance(options, Mapping):
                raise SettingsError(f"{table} should be a table: write [{table}] and its options below")
            for name, value in options.items():
                _check_name(name, sorted(n for t, n in known if t == table), f"option in [{table}]")
                given[name] = _read_value(f"{table}.{name}", known[table, name], value)
        return cls(**given)


def _check_name(name: str, known: list[str], what: str) -> None:
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise SettingsError(f"{name!r} is no {what}; {hint}")


_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_SIZE: Final = re.compile(r"(\d+)\s*(B|KiB|MiB)")
_BYTES: Final = {"B": 1, "KiB": KIB, "MiB": MIB}


def _read_value(where: str, unit: Unit, value: object) -> object:
    if unit == "duration":
        return _read_duration(where, value)
    if unit == "names":
        return _read_names(where, value)
    if unit == "switch":
        return _read_switch(where, value)
    if unit == "overflow":
        return _read_overflow(where, value)
    if unit == "origins":
        return _read_origins(where, value)
    if unit == "size" and isinstance(value, str) and (found := _SIZE.fullmatch(value)):
        return int(found[1]) * _BYTES[found[2]]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    example = 'a size such as "64KiB" or a number of bytes' if unit == "size" else "a whole number from 1"
    raise SettingsError(f"{where} = {value!r} should be {example}")


def _read_switch(where: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise SettingsError(f"{where} = {value!r} should be true or false")


def _read_overflow(where: str, value: object) -> object:
    policies = get_args(Overflow)
    if value in policies:
        return value
    raise SettingsError(f"{where} = {value!r} should be one of {', '.join(policies)}")


def _read_duration(where: str, value: object) -> float:
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return float(found[1]) * _SECONDS[found[2]]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    raise SettingsError(f'{where} = {value!r} should be a duration such as "30s" or a number of seconds')


def _read_names(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list) and value and all(name in TRANSPORTS for name in value):
        return tuple(value)
    raise SettingsError(f"{where} = {value!r} should be a list with some of {', '.join(TRANSPORTS)}")


_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]+")


def _read_origins(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(text, str) and _ORIGIN.fullmatch(text) for text in value):
        return tuple(text.lower() for text in value)
    raise SettingsError(f'{where} = {value!r} should be a list of origins such as "https://example.org:8443"')
