"""Running a bus until it is interrupted."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Final

import click

from mirant.application import Bus
from mirant.cli.listening import SocketFile, also_on_ipv6, is_loopback, listen, listening_at, url_of
from mirant.cli.log_writer import LogWriter, log_by, write_to
from mirant.hosts.server import Certificate, serve_bus
from mirant.options.values import SettingsError

log = logging.getLogger("mirant")

# A file that has not changed for so long is written, in seconds. What changes for longer is not read.
_SETTLED: Final = 0.2
_WRITING: Final = 10.0

#: What to do about a policy file without rules.
ALLOWS_NOTHING: Final = (
    'It allows nothing: add a [[channel]], such as match = "/**" with subscribe = "anyone".'
)


def run_bus(
    bus: Bus,
    *,
    host: str,
    port: int,
    path: str,
    title: str,
    socket_file: SocketFile | None = None,
    certificate: Certificate | None = None,
    root_path: str = "",
) -> None:
    """Listen at *host* and *port*, say so, and serve *bus* at *path* until SIGINT or SIGTERM.

    With a *socket_file* listen there instead; with a *certificate* speak TLS. A proxy strips *root_path*.
    """
    with _terminable(), ExitStack() as listeners:
        first = listeners.enter_context(
            listen(host, port) if socket_file is None else listening_at(socket_file)
        )
        sockets = [first]
        if socket_file is None and host == "127.0.0.1" and (other := also_on_ipv6(first)) is not None:
            sockets.append(listeners.enter_context(other))
        # Not before: why it cannot listen is said without a log.
        writer = LogWriter(write_to(sys.stderr.fileno()))
        listeners.callback(writer.close)
        log_by(writer)
        logging.getLogger("mirant").setLevel(logging.WARNING)
        if socket_file is None and is_loopback(first):
            bus.loop.keep_local()

        def say() -> None:
            reload_on_hangup(
                bus, writer.say
            )  # first: the line below tells others that they may send a SIGHUP
            click.echo(
                f"{title} is at {url_of(first, path, secure=certificate is not None)}   (Ctrl-C ends it)"
            )
            if not is_loopback(first):
                warn_if_open(bus)
            if bus.allows_nothing:
                click.echo(f"The policy file has no rules. {ALLOWS_NOTHING}", err=True)

        serve_bus(bus, sockets, path=path, on_listening=say, certificate=certificate, root_path=root_path)


class _Terminated(SystemExit):
    """SIGTERM has come."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the context before the process, so that a socket's file is removed."""

    def leave(sig: int, frame: FrameType | None) -> None:
        raise _Terminated(128 + sig)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    except _Terminated:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def warn_if_open(bus: Bus) -> None:
    """Print a warning if everybody may do everything with *bus*."""
    if bus.is_open:
        click.echo(
            "Other machines can reach it. Without a policy file everybody may do everything.", err=True
        )


def _complain(text: str) -> None:
    click.echo(text, err=True)


def reload_on_hangup(bus: Bus, say: Callable[[str], None] = _complain) -> None:
    """Let SIGHUP read the files of *bus* again, and *say* how that went.

    If they are wrong, what was in force stays in force. Files that are being written are waited for.
    """
    if not hasattr(signal, "SIGHUP"):
        return
    loop, running = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def begin() -> None:
        if not running:  # a signal that comes meanwhile means the same files
            task = loop.create_task(_reload(bus, say))
            running.add(task)
            task.add_done_callback(running.discard)

    loop.add_signal_handler(signal.SIGHUP, begin)


async def _reload(bus: Bus, say: Callable[[str], None]) -> None:
    try:
        await _until_written(bus)
        reloaded = bus.reload()
    except (SettingsError, OSError) as error:
        say(f"Not reloaded, because of this:\n{error}")
    except Exception as error:
        # A bug here or in a module with filters. The operator must learn that nothing was reloaded.
        say(f"Not reloaded, because of this:\n{type(error).__name__}: {error}")
        log.exception("reload.failed")
    else:
        say(f"Reloaded.\n{reloaded}")


async def _until_written(bus: Bus) -> None:
    """Wait until nobody writes the files of *bus*: half a file may be a policy, and another one."""
    deadline = time.monotonic() + _WRITING
    state = bus.source.state()
    while True:
        await asyncio.sleep(_SETTLED)
        former, state = state, bus.source.state()
        if state == former:
            return
        if time.monotonic() > deadline:
            raise SettingsError(f"a file is still being written after {_WRITING:g} seconds")
