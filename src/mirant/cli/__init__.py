"""The command line: ``mirant COMMAND``, one module per command."""

from __future__ import annotations

from importlib.metadata import version

import click

from mirant.cli.demo import demo
from mirant.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("mirant"), message="mirant %(version)s")
def main() -> None:
    """The message bus for web applications that speaks Bayeux, the protocol of CometD."""


main.add_command(demo)
main.add_command(serve)
