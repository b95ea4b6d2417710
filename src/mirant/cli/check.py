"""``mirant check``: everything that is wrong with a file, before it is put in force."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mirant.cli.running import ALLOWS_NOTHING
from mirant.policy.file import Policy, PolicyFile

policy_file = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.command()
@policy_file
def check(file: Path) -> None:
    """Check FILE, a mirant.toml or Jetty's filters.json.

    Every error is printed, with the line that it is in. The environment variables that override options are
    checked too. The exit status is 1 if anything is wrong.
    """
    policy, complaints = read_policy(file)
    for complaint in complaints:
        click.echo(complaint)
    if policy is None:
        raise SystemExit(1)
    click.echo(f"{file}: {_count(policy, file)}, no errors")
    if not is_filters(file) and not _rules(policy):
        click.echo(ALLOWS_NOTHING)


def read_policy(file: Path) -> tuple[Policy | None, list[str]]:
    """Return the policy in *file*, or everything that is wrong with it."""
    source = PolicyFile(filters=file) if is_filters(file) else PolicyFile(config=file, environ=os.environ)
    try:
        return source.read()
    except OSError as error:
        return None, [f"{error.filename or file}: it cannot be read: {error.strerror or error}"]


def is_filters(file: Path) -> bool:
    """Whether *file* is a ``filters.json`` of Jetty, which has neither rules nor options."""
    return file.suffix == ".json"


def _count(policy: Policy, file: Path) -> str:
    if is_filters(file):
        filters = 0 if policy.book is None else len(policy.book.filters)
        return f"{filters} filter{'s' * (filters != 1)}"
    rules = _rules(policy)
    return f"{rules} rule{'s' * (rules != 1)}"


def _rules(policy: Policy) -> int:
    return 0 if policy.book is None else len(policy.book.rules)
