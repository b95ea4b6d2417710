"""docs/options.md, written from the declarations of the options::

python -m mirant.policy.options_page > docs/options.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from mirant.options.declaring import Option
from mirant.options.kinds import KINDS
from mirant.options.reading import known_options
from mirant.policy.file import OPTIONS

_HEAD: Final = """\
# Options

The options that the tables of `mirant.toml` may have. An option that is left out has its default. But **a
file without `[[channel]]` allows nothing** ([policy.md](policy.md)). For an open bus, add a rule for
everything:

```toml
[session]
timeout = "45s"

[limits]
max_body = "64KiB"

[[channel]]
match     = "/**"
subscribe = "anyone"
publish   = "anyone"
call      = "anyone"
```

An environment variable overrides the file, and the default where there is no file:
`MIRANT_SESSION_TIMEOUT=45s`. Write texts without quotes there, and separate the items of a list by commas:
`MIRANT_TRANSPORTS_TRANSPORTS=websocket,long-polling`. An unknown table, an unknown option or an invalid value
is an error, in the file and in the environment, and the bus does not start.
"""

_FOOT: Final = """\
This page is generated: change the declarations, then run
`python -m mirant.policy.options_page > docs/options.md`.
"""


def options_page(classes: Iterable[type] = OPTIONS) -> str:
    """Return the reference page, in Markdown, of the options that *classes* declare."""
    options = tuple(known_options(classes).values())
    tables = dict.fromkeys(option.table for option in options)
    sections = [_section(table, [option for option in options if option.table == table]) for table in tables]
    used = [name for name in KINDS if any(option.kind_name == name for option in options)]
    return "\n".join([_HEAD, *sections, _kinds(used), _FOOT])


def _section(table: str, options: Iterable[Option]) -> str:
    rows = [_row(option) for option in options]
    return _table(f"[{table}]", ("option", "what it is", "kind", "default", "environment variable"), rows)


def _row(option: Option) -> tuple[str, ...]:
    kind = f"[{option.kind_name}](#kinds)" if option.kind_name else option.kind.words
    return f"`{option.name}`", option.sentence, kind, _default(option), f"`{option.variable}`"


def _default(option: Option) -> str:
    if option.default is None:
        return "none"
    return "secret" if option.secret else f"`{option.kind.write(option.default)}`"


def _kinds(names: Iterable[str]) -> str:
    return _table("Kinds", ("kind", "what to write"), [(name, KINDS[name].words) for name in names])


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return f"## {title}\n\n{''.join(_lines(lines))}"


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in rows:
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    sys.stdout.write(options_page())
