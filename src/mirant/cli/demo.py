"""``mirant demo``: the chat, the echo and the time sync in a browser."""

from __future__ import annotations

import click

from mirant.cli.options import host_option, port_option
from mirant.cli.running import run_bus
from mirant.demo.app import create_bus


@click.command()
@host_option
@port_option
def demo(host: str, port: int) -> None:
    """Serve the demos: chat, echo and time sync."""
    run_bus(create_bus(), host=host, port=port, path="/cometd", title="The Mirant demo")
