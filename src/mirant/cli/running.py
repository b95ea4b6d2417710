"""Running a bus until it is interrupted."""

from __future__ import annotations

import errno
import logging
import socket
from contextlib import ExitStack
from ipaddress import ip_address
from typing import Any

import click

from mirant.application import Bus
from mirant.hosts.server import serve_bus


def run_bus(bus: Bus, *, host: str, port: int, path: str, title: str) -> None:
    """Listen at *host* and *port*, say so, and serve *bus* at *path* until SIGINT or SIGTERM."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    logging.getLogger("mirant").setLevel(logging.WARNING)
    with ExitStack() as listeners:
        first = listeners.enter_context(listen(host, port))
        sockets = [first]
        if host == "127.0.0.1" and (other := also_on_ipv6(first)) is not None:
            sockets.append(listeners.enter_context(other))

        def say() -> None:
            click.echo(f"{title} is at {url_of(first, path)}   (Ctrl-C ends it)")
            if not is_loopback(first):
                click.echo("Other machines can reach it. Who may do what is up to the application.", err=True)

        serve_bus(bus, sockets, path=path, on_listening=say)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to *host* and *port*."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _bind(family, kind, protocol, address)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(_explain(error, host, port)) from None


def also_on_ipv6(listener: socket.socket) -> socket.socket | None:
    """Return a socket for this machine's IPv6 address at the same port, if it can be had.

    "localhost", which we print, is that address first for many clients, and some do not try another.
    """
    try:
        return _bind(
            socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, ("::1", listener.getsockname()[1])
        )
    except OSError:
        return None


def _bind(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    # With the protocol named: asyncio sets TCP_NODELAY only on connections of such a socket.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def url_of(listener: socket.socket, path: str) -> str:
    """Return an address for the browser's address bar."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified or is_loopback(listener):
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach *listener*."""
    return ip_address(listener.getsockname()[0]).is_loopback


def _explain(error: OSError | UnicodeError, host: str, port: int) -> str:
    elsewhere = f"{host!r} is no address of this machine. Try --host 127.0.0.1, or 0.0.0.0 for all it has."
    if isinstance(error, UnicodeError):
        return elsewhere
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken. Choose another: --port {port % 65535 + 1}, or --port 0 for a free one."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than you have. Choose one above 1023, such as --port 8080."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return elsewhere
    return f"Cannot listen at {host} port {port}: {error.strerror}."
