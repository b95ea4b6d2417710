"""The command line: ``mirant COMMAND``, one module per command."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import click

from mirant.cli.check import check
from mirant.cli.demo import demo
from mirant.cli.explain import explain
from mirant.cli.load import load
from mirant.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("mirant"), message="mirant %(version)s")
def main() -> None:
    """The message bus for web applications that speaks Bayeux, the protocol of CometD."""
    sys.path.insert(0, str(Path.cwd()))  # the application's modules are in the current folder


main.add_command(check)
main.add_command(demo)
main.add_command(explain)
main.add_command(load)
main.add_command(serve)
