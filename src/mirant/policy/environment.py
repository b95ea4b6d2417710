"""Environment variables that override options: ``MIRANT_SESSION_TIMEOUT=10s`` is session.timeout."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from mirant.options.declaring import Fault, Option, variable_prefix
from mirant.options.reading import Override, known_options
from mirant.options.spelling import nearest

# Other programs set variables that begin with MIRANT_ too: a container platform sets MIRANT_SERVICE_PORT for
# a service called mirant. A variable that is at least this similar to an option (from 0 to 1) is a misspelt
# one.
_NEARLY_AN_OPTION: Final = 0.9


def read_environment(
    environ: Mapping[str, str], classes: Iterable[type], *, rules: Collection[str] = ()
) -> tuple[dict[tuple[str, str], Override], list[Fault]]:
    """Return the options of *classes* that *environ* overrides, and a fault for each wrong variable.

    No variable can override the entries of the tables *rules*.

    The values are not checked here, but by `read_options`. A fault never quotes a value, because a secret may
    be in the wrong variable.
    """
    options = {option.variable: option for option in known_options(classes).values()}
    overrides: dict[tuple[str, str], Override] = {}
    faults: list[Fault] = []
    for variable in sorted(environ):
        if option := options.get(variable):
            overrides[option.path] = Override(variable, option.kind.from_text(environ[variable]))
        elif wrong := _wrong_variable(variable, options, rules):
            faults.append(Fault((), wrong, variable))
    return overrides, faults


def _wrong_variable(variable: str, options: Mapping[str, Option], rules: Collection[str]) -> str | None:
    """Return what is wrong with a variable that names no option; None if another program may use it."""
    for table in {option.table: None for option in options.values()}:
        prefix = variable_prefix(table)
        if variable.startswith(prefix):
            here = {name.removeprefix(prefix): name for name in options if name.startswith(prefix)}
            near = nearest(variable.removeprefix(prefix), here)
            hint = f"did you mean {here[near]}?" if near else f"there are: {', '.join(here.values())}"
            return f"no option in [{table}] has this variable; {hint}"
    for table in rules:
        if variable.startswith(variable_prefix(table)):
            return f"[[{table}]] has no variables: write it in the file"
    slip = nearest(variable, options, cutoff=_NEARLY_AN_OPTION)
    return f"no option has this variable; did you mean {slip}?" if slip else None
