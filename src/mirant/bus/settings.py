"""The options of a bus: each declared once, with the kind of its value, its default and the reason for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final

from mirant.bus.outbox import Overflow
from mirant.bus.settings_values import MIB, READERS, TRANSPORTS, SettingsError

# Polling by script tags reads nothing but what the page next door could read too, and it cannot be told
# from an attack by its request alone. Whoever needs it says so.
_DEFAULT_TRANSPORTS: Final = TRANSPORTS[:-1]


def _option(table: str, kind: str, sentence: str, *, default: Any) -> Any:
    return field(default=default, metadata={"table": table, "kind": kind, "sentence": sentence})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a bus behaves. Durations are seconds, sizes bytes.

    Raises:
        SettingsError: a value is of the wrong kind, or out of its range.
    """

    timeout: float = _option(
        "session", "positive duration", "How long a /meta/connect with nothing to say is held.", default=30.0
    )
    interval: float = _option(
        "session", "duration", "How long a client waits between two /meta/connect.", default=0.0
    )
    # CometD's default: long enough for a page reload or a change of network, short enough to notice.
    max_interval: float = _option(
        "session",
        "positive duration",
        "How long a session lives on without hearing from its client.",
        default=10.0,
    )
    transports: tuple[str, ...] = _option(
        "transports",
        "transports",
        "The transports offered, the preferred first.",
        default=_DEFAULT_TRANSPORTS,
    )
    # Browsers open six connections to a host over HTTP/1.1; two windows that poll must leave some for pages.
    max_windows: int = _option(
        "windows", "count", "How many windows of a browser may each hold a poll over HTTP/1.1.", default=1
    )
    # CometD's multiSessionInterval.
    windows_interval: float = _option(
        "windows", "positive duration", "How often the other windows of a browser poll.", default=2.0
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

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if _read_value(option, value) != value:  # "30s" is for files
                raise SettingsError(f"{option.name} = {value!r} should be of its type, {option.type}")
        if self.timeout + self.interval == 0:
            raise SettingsError("session.timeout and session.interval are both 0: clients would never pause")

    @classmethod
    def read(cls, tables: Mapping[str, object]) -> Settings:
        """Return the settings that *tables*, such as a parsed TOML file, ask for.

        Raises:
            SettingsError: a table or option is unknown, or a value is of the wrong kind.
        """
        options_by_name = {option.name: option for option in fields(cls)}
        known = {name: option.metadata["table"] for name, option in options_by_name.items()}
        given: dict[str, Any] = {}
        for table, options in tables.items():
            _check_table(table, known)
            if not isinstance(options, Mapping):
                raise SettingsError(f"{table} should be a table: write [{table}] and its options below")
            for name, value in options.items():
                _check_option(name, table, known)
                given[name] = _read_value(options_by_name[name], value)
        return cls(**given)


def _check_table(name: str, known: Mapping[str, str]) -> None:
    if name in known.values():
        return
    if name in known:
        raise SettingsError(f"{name!r} is no table; it belongs below [{known[name]}]")
    raise SettingsError(f"{name!r} is no table; {_nearest(name, sorted(set(known.values())))}")


def _check_option(name: str, table: str, known: Mapping[str, str]) -> None:
    if known.get(name) == table:
        return
    if name in known:
        raise SettingsError(f"{name!r} belongs below [{known[name]}], not [{table}]")
    here = sorted(option for option, its_table in known.items() if its_table == table)
    raise SettingsError(f"{name!r} is no option in [{table}]; {_nearest(name, here)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"


def _read_value(option: Field[Any], value: object) -> object:
    try:
        return READERS[option.metadata["kind"]](value)
    except SettingsError as error:
        where = f"{option.metadata['table']}.{option.name}"
        raise SettingsError(f"{where} = {value!r} should be {error}") from None
