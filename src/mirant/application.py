"""The bus as an application holds it: its services, its publishing, and an ASGI application in one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from mirant.bayeux.channels import Pattern
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.extension import Extension
from mirant.bus.session import Session
from mirant.bus.settings import Settings
from mirant.extensions.ack import Ack
from mirant.extensions.binary import BinaryData
from mirant.extensions.timesync import TimeSync
from mirant.hosts.asgi import AsgiHost
from mirant.hosts.asgi_scope import AsgiApplication, Receive, Scope, Send
from mirant.hosts.loop import Loop
from mirant.hosts.mount import Mounted
from mirant.hosts.pages import Pages
from mirant.policy.file import load
from mirant.services import Services, broadcast_channel, deliverable_channel, delivery_of


class Bus(Services):
    """A Bayeux server.

    It is an ASGI application: serve it with ``mirant serve``, or put it in front of an application of yours
    with `mount`. All methods are to be called on the event loop that serves it.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        *,
        settings: Settings | None = None,
        pages: Path | None = None,
        extensions: Iterable[Extension] | None = None,
        secret: bytes | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a bus.

        Args:
            config: a ``mirant.toml``; without one, and without *settings*, the defaults hold.
            settings: the options as a value, instead of a file.
            pages: a folder of files to serve to browsers by GET; without it, a landing page.
            extensions: what sees every message, in this order; by default `Ack`, `BinaryData`, `TimeSync`,
                which do nothing for clients that do not ask for them.
            secret: what browser cookies are signed with; by default a new one in each process.
            wall_clock: the time of day in seconds since 1970, as clients are told it.

        Raises:
            SettingsError: the file has an option that does not exist or cannot have its value.
            OSError: a file cannot be read.
        """
        if config is not None and settings is not None:
            raise ValueError("give either a config file or settings, not both")
        self.settings = load(Path(config)) if config is not None else settings or Settings()
        self._loop = Loop(self.settings, secret=secret)
        super().__init__(self._loop.core)
        usual = [Ack(), BinaryData(), TimeSync(wall_clock)]
        self._core.extensions.extend(usual if extensions is None else extensions)
        self._host = AsgiHost(self._loop, Pages(pages))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope: http, websocket or lifespan."""
        await self._host(scope, receive, send)

    def mount(self, app: AsgiApplication, path: str = "/cometd") -> Mounted:
        """Return an ASGI application that serves this bus at *path* and everything below, and else *app*.

        Most frameworks' own mounts do not serve a WebSocket at the bare path, which is where clients open
        it; this does.
        """
        return Mounted(self, path, app)

    def channel(
        self,
        pattern: str,
        *,
        lazy: float | None = None,
        echo: bool | None = None,
        latest: bool | None = None,
        persistent: bool | None = None,
    ) -> None:
        """Say how the channels that *pattern* matches behave; what is None is left to wider patterns.

        Args:
            pattern: a channel, or ``/a/*``, ``/a/**``.
            lazy: how many seconds a message may wait for another occasion to be sent; 0 for none.
            echo: whether a publisher who subscribed gets its own message.
            latest: whether only the newest message waits for a client that cannot be written now.
            persistent: whether the channel exists without subscribers, for those who unsubscribe.

        Raises:
            ChannelInvalid: *pattern* is none.
        """
        options = ChannelOptions(lazy=lazy, echo=echo, latest=latest, persistent=persistent)
        self._core.channels.set(Pattern.parse(pattern), options)

    async def publish(self, channel: str, data: object, *, lazy: float | None = None) -> int:
        """Publish *data* on *channel* from the server; return to how many sessions here it goes.

        When this returns, the bus has accepted the message and it is in the outbox of each session that
        subscribes to the channel. Nothing is known of its arrival. A *lazy* message may wait there for that
        many seconds, until there is another occasion to send something; 0 is at once, also on a lazy
        channel.

        Raises:
            ChannelInvalid: *channel* is no channel name.
            ValueError: *channel* is a meta or service channel.
            TypeError: *data* has no JSON form.
        """
        return self.publish_nowait(channel, data, lazy=lazy)

    def publish_nowait(self, channel: str, data: object, *, lazy: float | None = None) -> int:
        """The same as `publish`, for code that cannot await."""
        self._core.now = self._loop.now()  # raises where it may not be called, before anything is changed
        target = broadcast_channel(channel)
        delivery = delivery_of(target, data)
        delivery.lazy = lazy
        return self._core.publish(target, delivery)

    def deliver(self, session: Session, channel: str, data: object) -> None:
        """Send *data* on *channel* to one session; it need not be subscribed. To one that ended, nothing.

        Raises:
            ChannelInvalid: *channel* is no channel name.
            ValueError: *channel* is a meta channel.
            TypeError: *data* has no JSON form.
        """
        self._core.now = self._loop.now()
        self._core.deliver(session, delivery_of(deliverable_channel(channel), data))

    def session(self, session_id: str) -> Session | None:
        """Return the session with this clientId, or None."""
        return self._core.sessions.get(session_id)

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._core.sessions)

    def dismiss(self, session: Session) -> None:
        """End *session*; its client is told not to come back."""
        self._core.now = self._loop.now()
        self._core.dismiss(session)

    def open(self) -> None:
        """Serve again after `close`. The ASGI lifespan does both."""
        self._loop.open()

    async def close(self) -> None:
        """Answer every poll that is held, close every WebSocket with 1001, cancel running calls."""
        await self._loop.close()
