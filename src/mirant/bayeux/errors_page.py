"""docs/errors.md, written from the table of errors::

python -m mirant.bayeux.errors_page > docs/errors.md
"""

from __future__ import annotations

import sys
from typing import Final

from mirant.bayeux.errors import TABLE

_HEAD: Final = """\
# Errors

A reply with `"successful": false` has a field `error`: `code:arguments:text`, for example
`403:denied_by_security_policy:publish_denied`. Programs compare the text or the code. The arguments, between
the colons, are for people and may be empty.

| error | why | what to do |
|---|---|---|
"""

_FOOT: Final = """
A body that cannot be read as Bayeux messages is answered with an HTTP status (400, 413, 415), or closes the
WebSocket (1003, 1007, 1009), with a sentence that says why.

This page is generated: change `src/mirant/bayeux/errors.py`, then run
`python -m mirant.bayeux.errors_page > docs/errors.md`.
"""


def errors_page() -> str:
    """Return the reference page, in Markdown, of all errors, by their codes."""
    kinds = sorted(TABLE, key=lambda kind: (kind.code, kind.text))
    rows = (f"| `{kind.code}:…:{kind.text}` | {kind.cause} | {kind.remedy} |\n" for kind in kinds)
    return f"{_HEAD}{''.join(rows)}{_FOOT}"


if __name__ == "__main__":
    sys.stdout.write(errors_page())
