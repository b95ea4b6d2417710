"""The reference page of options says what the declarations do."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mirant.options.declaring import option
from mirant.options.kinds import KINDS, OptionKind
from mirant.options.reading import known_options
from mirant.policy.file import OPTIONS
from mirant.policy.options_page import options_page

PATH = Path(__file__).parents[2] / "docs" / "options.md"


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Options of every shape that a page shows."""

    wait: float = option("lock", "duration", "How long.", default=90.0)
    shape: str | None = option("lock", OptionKind("`a|b`", str), "Which.", default=None, name="from")
    key: str = option("lock", OptionKind("a text", str), "What opens it.", default="hunter2", secret=True)


def test_the_page_is_current() -> None:
    fresh = options_page()
    assert PATH.read_text(encoding="utf-8") == fresh, (
        "run: python -m mirant.policy.options_page > docs/options.md"
    )


def test_a_row_has_what_was_declared() -> None:
    rows = [line for line in options_page([Lock]).splitlines() if line.startswith("| `")]

    assert rows == [
        '| `wait` | How long. | [duration](#kinds) | `"90s"` | `MIRANT_LOCK_WAIT` |',
        "| `from` | Which. | `a\\|b` | none | `MIRANT_LOCK_FROM` |",
        "| `key` | What opens it. | a text | secret | `MIRANT_LOCK_KEY` |",
    ]


def test_kinds_that_are_used_are_explained() -> None:
    page = options_page([Lock])

    assert f"| duration | {KINDS['duration'].words} |" in page
    assert "| size |" not in page


@pytest.mark.parametrize("each", known_options(OPTIONS).values(), ids=lambda option: option.variable)
def test_every_option_is_on_the_page(each: object) -> None:
    assert f"`{getattr(each, 'variable', None)}`" in PATH.read_text(encoding="utf-8")
