"""The bus as an application holds it: its services, its publishing, and an ASGI application in one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mirant.bayeux.channels import Channel, Pattern
from mirant.bus.channel_options import ChannelOptions
from mirant.bus.extension import Extension
from mirant.bus.hub import at_once
from mirant.bus.statistics import Statistics
from mirant.engines.memory import MemoryEngine
from mirant.extensions.ack import Ack
from mirant.extensions.binary import BinaryData
from mirant.extensions.timesync import TimeSync
from mirant.hosts.asgi.scope import AsgiApplication, Receive, Scope, Send
from mirant.hosts.asgi.server import AsgiHost
from mirant.hosts.health import add_health
from mirant.hosts.loop import Loop
from mirant.hosts.mount import Mounted
from mirant.hosts.pages import CONTENT_SECURITY_POLICY, Pages
from mirant.hosts.routes import Routes
from mirant.options.settings import Settings
from mirant.options.values import SettingsError
from mirant.policy.file import Policy, PolicyFile, Reloaded
from mirant.policy.rule_guard import RuleGuard
from mirant.services import Services, broadcast_channel, deliverable_channel, delivery_of, filtered
from mirant.services.face import SessionFace, behind


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
        filters: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
        pages: Path | None = None,
        content_security_policy: str = CONTENT_SECURITY_POLICY,
        extensions: Iterable[Extension] | None = None,
        secret: bytes | None = None,
        allow_origin: Callable[[str], bool] | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a bus.

        Args:
            config: a ``mirant.toml``. What its rules do not allow is denied. Without one everybody may do
                everything, and without *settings* the defaults hold.
            settings: the options as a value, instead of a file.
            filters: a ``filters.json`` of Jetty's, beside or instead of a *config*.
            environ: variables that override options, by default the process's own; none with *settings*.
            pages: a folder of files to serve to browsers by GET; without it, a landing page.
            content_security_policy: what these pages may do, as the header of this name says it; by default
                they use only what comes from the bus itself.
            extensions: what sees every message, in this order; by default `Ack`, `BinaryData`, `TimeSync`,
                which do nothing for clients that do not ask for them.
            secret: what browser cookies are signed with; by default that of the options, or a new one in each
                process.
            allow_origin: is asked whether pages of an origin, such as ``https://example.org``, may connect,
                where the option `allow_origins` does not name it. It must not wait.
            wall_clock: the time of day in seconds since 1970, as clients are told it.

        Raises:
            SettingsError: something in the files is wrong; the text has a line for each thing.
            OSError: a file cannot be read.
            ValueError: *settings* come with a *config* or *environ*, or *content_security_policy* is not one
                line of ASCII.
        """
        if settings is not None and (config is not None or environ is not None):
            raise ValueError("give either a config file or settings, not both")
        if settings is None and environ is None:
            environ = os.environ
        self._source = _source(config, filters, environ or {}, wall_clock)
        policy = self._source.load()
        if settings is not None:
            policy = replace(policy, settings=settings)
        self._policy = Policy()
        self._allow_origin = allow_origin
        self._loop = Loop(policy.settings, MemoryEngine(policy.settings), secret=secret)
        super().__init__(self._loop.core)
        usual = [Ack(), BinaryData(), TimeSync(wall_clock)]
        self._core.extensions.set(usual if extensions is None else extensions)
        self._routes = Routes()
        add_health(self._routes, self._loop)
        self._host = AsgiHost(self._loop, Pages(pages, policy=content_security_policy), self._routes)
        self._enforce(policy)

    @property
    def settings(self) -> Settings:
        """The options that are in force."""
        return self._core.settings

    @property
    def loop(self) -> Loop:
        """What runs the bus on an event loop: for hosts other than ASGI servers."""
        return self._loop

    @property
    def routes(self) -> Routes:
        """What is answered below the path of the bus and is not Bayeux."""
        return self._routes

    @property
    def is_open(self) -> bool:
        """Whether there are no rules: everybody may do everything that the application's code allows."""
        return self._source.config is None

    @property
    def allows_nothing(self) -> bool:
        """Whether there is a file, and no rule in it."""
        book = self._policy.book
        return self._source.config is not None and (book is None or not book.rules)

    def reload(self) -> Reloaded:
        """Read the files again and put in force what they say now, as a whole and without ending a session.

        Sessions keep the options that they began with. Subscriptions that are not allowed any more are
        revoked; their clients are told on ``/service/mirant/revoked``. Returns what changed.

        Raises:
            SettingsError: something in the files is wrong, there are no rules in them any more, or somebody
                is writing one of them. What was in force stays so.
            OSError: a file cannot be read. What was in force stays so.
        """
        former = self._policy
        policy = self._source.load_again(former)
        if self._source.config is None:
            policy = replace(policy, settings=self.settings)
        return Reloaded(former.rule_count, policy.rule_count, self._enforce(policy))

    @property
    def source(self) -> PolicyFile:
        """The files that `reload` reads."""
        return self._source

    def _enforce(self, policy: Policy) -> int:
        former = self._policy
        if policy.same_authentication(former):
            policy = replace(policy, authentication=former.authentication)
        hooks, authentication = self._core.hooks, policy.authentication
        if authentication is not None and former.authentication is None and hooks.authenticate is not None:
            raise SettingsError("[token] and [proxy] do not go with the application's own @bus.authenticate")
        if authentication is not None or former.authentication is not None:
            hooks.authenticate = None if authentication is None else authentication.authenticate
            hooks.renew = None if authentication is None else authentication.renew
            hooks.conceal = None if authentication is None else authentication.conceal
        self._policy = policy
        self._core.configure(policy.settings)
        self._loop.set_gate(policy.settings, self._allow_origin)
        return self._core.enforce(None if policy.book is None else RuleGuard(policy.book, self._core.hub))

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
        history: int | None = None,
    ) -> None:
        """Say how the channels that *pattern* matches behave; what is None is left to wider patterns.

        Args:
            pattern: a channel, or ``/a/*``, ``/a/**``.
            lazy: how many seconds a message may wait for another occasion to be sent; 0 for none.
            echo: whether a publisher who subscribed gets its own message.
            latest: whether only the newest message waits for a client that cannot be written now.
            persistent: whether the channel exists without subscribers, for those who unsubscribe.
            history: how many of the last messages are kept, for `history` and for clients who subscribe with
                ``ext: {"history": n}``; in memory, and at most ``limits.max_history`` bytes of all channels.

        Raises:
            ChannelInvalid: *pattern* is none.
        """
        options = ChannelOptions(lazy=lazy, echo=echo, latest=latest, persistent=persistent, history=history)
        self._core.hub.channels.set(Pattern.parse(pattern), options)

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
            Veto: a filter refused the message.
        """
        return self.publish_nowait(channel, data, lazy=lazy)

    def publish_nowait(self, channel: str, data: object, *, lazy: float | None = None) -> int:
        """The same as `publish`, for code that cannot await."""
        self._loop.now()  # raises where it may not be called, before anything is changed
        target = broadcast_channel(channel)
        if self._core.guard is not None:
            data = filtered(self._core.guard, target, data)
        delivery = delivery_of(target, data)
        delivery.lazy = lazy
        return at_once(self._core.publish(target, delivery))

    def deliver(self, session: SessionFace, channel: str, data: object) -> None:
        """Send *data* on *channel* to one session; it need not be subscribed. To one that ended, nothing.

        Raises:
            ChannelInvalid: *channel* is no channel name.
            ValueError: *channel* is a meta channel.
            TypeError: *data* has no JSON form.
        """
        self._loop.now()
        self._core.deliver(behind(session), delivery_of(deliverable_channel(channel), data))

    def history(self, channel: str, count: int = 100) -> list[Any]:
        """Return the data of the last messages on *channel*, at most *count* of those kept, the newest last.

        Raises:
            ChannelInvalid: *channel* is no channel name.
            RuntimeError: another thread serves the bus.
        """
        self._loop.check_reading()
        page = self._core.hub.history(Channel.parse(channel), last=count)
        return [msgspec.json.decode(delivery.payload)["data"] for _, delivery in page.items]

    def session(self, session_id: str) -> SessionFace | None:
        """Return the session with this clientId, or None; not in another thread than the bus's."""
        self._loop.check_reading()
        session = self._core.sessions.get(session_id)
        return None if session is None else SessionFace(session)

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self._core.sessions)

    def statistics(self) -> Statistics:
        """Return what the bus has done since it was made, and what it holds now."""
        return self._core.statistics()

    def dismiss(self, session: SessionFace) -> None:
        """End *session*; its client gets what waits for it, and is told not to come back.

        A client that polls may be between two polls. It is told when it comes, if it comes within the
        session's `max_interval` and a minute.
        """
        self._loop.now()
        self._core.dismiss(behind(session))

    def open(self) -> None:
        """Serve again after `close`. The ASGI lifespan does both."""
        self._loop.open()

    async def close(self) -> None:
        """Answer every poll that is held, close every WebSocket with 1001, cancel running calls."""
        await self._loop.close()


def _source(
    config: str | Path | None,
    filters: str | Path | None,
    environ: Mapping[str, str],
    clock: Callable[[], float],
) -> PolicyFile:
    return PolicyFile(
        config=None if config is None else Path(config),
        filters=None if filters is None else Path(filters),
        environ=environ,
        clock=clock,
    )
