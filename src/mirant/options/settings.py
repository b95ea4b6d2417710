"""The options of a bus: each declared once, with the kind of its value, its default and the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mirant.options.cookies import COOKIE, SameSite, Secure, check_cookie
from mirant.options.declaring import check_options, option
from mirant.options.reading import read_options
from mirant.options.values import MIB, TRANSPORTS, Overflow, SettingsError

# callback-polling (JSONP) is off by default: any page can include its responses, and a real request looks
# like an attack.
_DEFAULT_TRANSPORTS: Final = TRANSPORTS[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a bus behaves. Durations are seconds, sizes bytes.

    Raises:
        SettingsError: a value is of the wrong kind, or out of its range.
    """

    # CometD's is 30 s. Many proxies wait 30 s for a response, and end the poll as its answer leaves. This
    # leaves 5 s for a slow link and a busy server.
    timeout: float = option(
        "session",
        "positive duration",
        "How long a /meta/connect is held while there is nothing to send.",
        default=25.0,
    )
    interval: float = option(
        "session", "duration", "How long a client waits between two /meta/connect.", default=0.0
    )
    # CometD's default: long enough for a page reload or a change of network, short enough to notice.
    max_interval: float = option(
        "session",
        "positive duration",
        "How long a session lives on without hearing from its client.",
        default=10.0,
    )
    transports: tuple[str, ...] = option(
        "transports",
        "transports",
        "The transports offered, the preferred first.",
        default=_DEFAULT_TRANSPORTS,
    )
    # Browsers open six connections to a host over HTTP/1.1; two windows that poll must leave some for pages.
    max_windows: int = option(
        "windows", "count", "How many windows of a browser may each hold a poll over HTTP/1.1.", default=1
    )
    # Over HTTP/2 and HTTP/3 requests share a connection. Behind a proxy nothing else says what is spoken.
    http_version_header: str | None = option(
        "windows",
        "header",
        "The header in which a proxy says over which version of HTTP its client speaks, such as `HTTP/2.0`. "
        "From version 2 on every window holds a poll. Only a trusted proxy is believed.",
        default=None,
    )
    # CometD's multiSessionInterval.
    windows_interval: float = option(
        "windows", "positive duration", "How often the other windows of a browser poll.", default=2.0
    )
    # Pages of the bus's own origin may always connect, and so may clients other than browsers.
    allow_origins: tuple[str, ...] = option(
        "origins",
        "origins",
        "Other origins whose pages may connect, such as https://example.org. Those that only `*` or `null` "
        "admits get no cookies.",
        default=(),
    )
    allow_hosts: tuple[str, ...] = option(
        "hosts",
        "hosts",
        "The names under which clients reach the bus. By default all, but at an address of this machine only "
        "`localhost` and the like.",
        default=(),
    )
    # --- The cookie by which the bus knows a browser ---
    cookie_name: str = option("cookie", "cookie name", "Its name.", default=COOKIE, name="name")
    cookie_path: str = option(
        "cookie",
        "cookie path",
        "The path, and everything below it, to which it is sent.",
        default="/",
        name="path",
    )
    cookie_domain: str | None = option(
        "cookie",
        "cookie domain",
        "The domain whose hosts it is sent to. By default it is sent to the host that gave it.",
        default=None,
        name="domain",
    )
    cookie_secure: Secure = option(
        "cookie",
        "secure",
        "Whether it is sent over TLS only. `auto`: if it was given over TLS.",
        default="auto",
        name="secure",
    )
    cookie_same_site: SameSite = option(
        "cookie",
        "same site",
        "Which pages of other sites send it along. `auto`: none; over TLS all, if there are `allow_origins`.",
        default="auto",
        name="same_site",
    )
    # For a widget in pages of other sites: browsers that keep no cookies of third parties keep one per site.
    cookie_partitioned: bool = option(
        "cookie",
        "switch",
        "Whether a browser keeps one for each site in whose pages the bus is used. It needs TLS.",
        default=False,
        name="partitioned",
    )
    cookie_max_age: float = option(
        "cookie",
        "duration",
        "How long a browser keeps it after the last handshake. `0s`: until the browser is closed.",
        default=0.0,
        name="max_age",
    )
    cookie_secret: tuple[str, ...] = option(
        "cookie",
        "secrets",
        "What it is signed with. Processes that share it know each other's browsers. By default each process "
        "makes its own. Of several the first signs, and all are recognised.",
        default=(),
        name="secret",
        secret=True,
    )
    # As much as the `websockets` and CometD Java clients accept from us.
    max_body: int = option(
        "limits", "size", "Largest HTTP body or WebSocket message accepted.", default=1 * MIB
    )
    # CometD: unlimited. A page that opens 200 subscriptions at once sends 200.
    max_batch: int = option("limits", "count", "Most messages in one body.", default=1_000)
    # At about 4 KiB each: 400 MiB. Handshakes beyond it are refused; the sessions there are go on.
    max_sessions: int = option("limits", "count", "Most sessions at a time.", default=100_000)
    # A tenth: it takes ten addresses to fill the server. A campus or a carrier behind one address has some
    # thousand people; a proxy that the server does not trust has all of them, and then this must be raised.
    max_sessions_per_address: int = option(
        "limits",
        "count",
        "Most sessions at a time from one address, or from one IPv6 network of 64 bits.",
        default=10_000,
    )
    max_subscriptions: int = option("limits", "count", "Most subscriptions of one session.", default=1_000)
    # Four full bodies. A client that lags further behind is disconnected rather than waited for.
    max_outbox: int = option(
        "limits",
        "size",
        "Most bytes that wait for one session, and one message for each 320 of them.",
        default=4 * MIB,
    )
    overflow: Overflow = option(
        "delivery", "overflow", "What gives way when an outbox is full.", default="disconnect"
    )
    echo: bool = option(
        "delivery", "switch", "Whether a publisher who subscribed gets its own message.", default=True
    )
    # Strict order, for the price of one more request per delivery.
    connect_only: bool = option(
        "delivery", "switch", "Whether messages leave with answers to /meta/connect only.", default=False
    )
    with_handshake: bool = option(
        "delivery",
        "switch",
        "Whether messages that wait for a new session come with its handshake's reply.",
        default=False,
    )
    max_history: int = option(
        "limits", "size", "Most bytes of past messages that are kept, of all channels.", default=16 * MIB
    )
    # A page makes a handful of calls when it loads. Each may occupy a task of the application.
    max_calls: int = option("limits", "count", "Most unanswered remote calls of one session.", default=100)
    # A session's other messages wait meanwhile, and its client gives up after 10 to 30 seconds.
    max_hook_time: float = option(
        "limits",
        "positive duration",
        "How long a function of the application may keep a message or a route waiting before it is given up.",
        default=30.0,
    )
    # Nothing else waits for a call, and some make reports.
    max_call_time: float = option(
        "limits",
        "positive duration",
        "How long a remote call may take before it is cancelled and answered as failed.",
        default=300.0,
    )

    def __post_init__(self) -> None:
        check_options(self)
        check_cookie(
            name=self.cookie_name,
            path=self.cookie_path,
            domain=self.cookie_domain,
            secure=self.cookie_secure,
            same_site=self.cookie_same_site,
            partitioned=self.cookie_partitioned,
        )

    @classmethod
    def read(cls, tables: Mapping[str, object]) -> Settings:
        """Return the settings that *tables*, such as a parsed TOML file, ask for.

        Raises:
            SettingsError: a table or option is unknown, or a value is of the wrong kind; each has its line.
        """
        values, faults = read_options((cls,), tables)
        if faults:
            raise SettingsError("\n".join(map(str, faults)))
        return values[cls]
