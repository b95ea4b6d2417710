"""The reference page of errors: it is current, and has each error once."""

from pathlib import Path

from mirant.bayeux.errors import TABLE
from mirant.bayeux.errors_page import errors_page

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def test_the_page_of_errors_is_current() -> None:
    assert PAGE.read_text("utf-8") == errors_page(), (
        "run: python -m mirant.bayeux.errors_page > docs/errors.md"
    )


def test_each_error_has_one_row_sorted_by_code() -> None:
    rows = [line for line in errors_page().splitlines() if line.startswith("| `")]

    assert len(rows) == len(TABLE)
    assert rows == sorted(rows)
    for kind in TABLE:
        assert f"| `{kind.code}:…:{kind.text}` | {kind.cause} | {kind.remedy} |" in rows
