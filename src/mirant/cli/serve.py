"""``mirant serve``: serving the bus of an application, the bus that a file describes, or an open one."""

from __future__ import annotations

import importlib
import os
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Final

import click

from mirant.application import Bus
from mirant.cli.listening import SocketFile
from mirant.cli.options import host_option, port_option
from mirant.cli.running import run_bus
from mirant.cli.values import file_mode
from mirant.hosts.server import Certificate
from mirant.options.values import SettingsError

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("target", metavar="[MODULE:BUS]", required=False)
@host_option
@port_option
@click.option("--path", default="/cometd", show_default=True, help="Where the bus is on the server.")
@click.option(
    "--root-path",
    default="",
    help="What a proxy strips from the addresses that browsers use, such as /api. Pages need it for links.",
)
@click.option(
    "--config",
    type=_FILE,
    help="Options and rules of the bus, a mirant.toml.",
)
@click.option(
    "--filters",
    type=_FILE,
    help="Jetty's filters.json.",
)
@click.option("--unix-socket", type=click.Path(path_type=Path), help="Listen at this file, for a proxy.")
@click.option(
    "--unix-socket-mode",
    type=file_mode,
    metavar="MODE",
    help="Who may connect to that file, such as 660. By default, what the umask leaves.",
)
@click.option("--certificate", type=_FILE, help="Speak TLS, with this PEM file.")
@click.option("--key", type=_FILE, help="The certificate's key, if it is not in the same file.")
def serve(
    target: str | None,
    host: str,
    port: int,
    path: str,
    root_path: str,
    config: Path | None,
    filters: Path | None,
    unix_socket: Path | None,
    unix_socket_mode: int | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Serve a bus.

    MODULE:BUS names the bus in your code, such as app:bus for "bus = Bus()" in app.py. Without it, a bus is
    made from the config file, whose rules say who may do what. Without that, everybody may do everything.

    SIGHUP reads the files again and ends no session.
    """
    if not path.startswith("/"):
        raise click.BadParameter(f"{path!r} should begin with a slash, such as /cometd.", param_hint="--path")
    if root_path and not root_path.startswith("/"):
        raise click.BadParameter(
            f"{root_path!r} should begin with a slash, such as /api.", param_hint="--root-path"
        )
    if target is None:
        bus = open_bus(config, filters)
    elif config is None and filters is None:
        bus = find_bus(target)
    else:
        raise click.UsageError(
            f"{target} has its own options; pass the file there: Bus({str(config or filters)!r})."
        )
    if key is not None and certificate is None:
        raise click.UsageError("A --key goes with a --certificate.")
    if unix_socket_mode is not None and unix_socket is None:
        raise click.UsageError("A --unix-socket-mode goes with a --unix-socket.")
    run_bus(
        bus,
        host=host,
        port=port,
        path=path,
        root_path=root_path.rstrip("/"),
        title="Mirant",
        socket_file=None if unix_socket is None else SocketFile(unix_socket, unix_socket_mode),
        certificate=None if certificate is None else Certificate(certificate, key),
    )


def open_bus(config: Path | None, filters: Path | None) -> Bus:
    """Return a bus with the options and rules in *config*, and the *filters*."""
    try:
        return Bus(config, filters=filters, environ=os.environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename} cannot be read: {error.strerror}.") from None


def find_bus(target: str) -> Bus:
    """Return the bus that *target*, such as ``app:bus``, names in a module of the current folder or path."""
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise click.BadParameter(f"{target!r} should be a module and a name in it, such as app:bus.")
    plain = module_name.removeprefix("./").removesuffix(".py").replace("/", ".").strip(".")
    if plain != module_name:
        raise click.BadParameter(f"{module_name!r} is not a module; did you mean {plain}:{name}?")
    module = import_module(module_name)
    found = getattr(module, name, None)
    if isinstance(found, Bus):
        return found
    buses = [key for key, value in vars(module).items() if isinstance(value, Bus)]
    near = get_close_matches(name, buses, n=1) or buses
    hint = f"did you mean {module_name}:{near[0]}?" if near else "make one there: bus = mirant.Bus()."
    what = f"has no {name!r}" if found is None else f"has a {name!r} that is not a mirant.Bus"
    raise click.BadParameter(f"{module_name!r} {what}; {hint}")


def import_module(name: str) -> ModuleType:
    """Return the module *name*, from the current folder or the Python path."""
    try:
        return importlib.import_module(name)
    except SettingsError as error:
        raise click.ClickException(f"{name}: {error}") from None
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise  # the module exists and imports one that does not: the traceback tells where
        raise click.BadParameter(f"there is no module {error.name!r} here or on the Python path.") from None
