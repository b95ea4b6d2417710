"""Kinds of values: a default on a page is what a file may have, and so is what the environment says."""

import tomllib
from typing import Any

import pytest

from mirant.options.kinds import KINDS


@pytest.mark.parametrize(
    ("kind", "value", "spelt"),
    [
        ("duration", 0.0, '"0s"'),
        ("duration", 0.25, '"250ms"'),
        ("duration", 0.0005, '"0.5ms"'),
        ("duration", 1.5, '"1500ms"'),
        ("duration", 90.0, '"90s"'),
        ("duration", 600.0, '"10m"'),
        ("positive duration", 7200.0, '"2h"'),
        ("size", 1, '"1B"'),
        ("size", 65_536, '"64KiB"'),
        ("size", 65_537, '"65537B"'),
        ("size", 4 * 1024 * 1024, '"4MiB"'),
        ("count", 12, "12"),
        ("switch", True, "true"),
        ("overflow", "drop-oldest", '"drop-oldest"'),
        ("transports", ("websocket", "long-polling"), '["websocket", "long-polling"]'),
        ("origins", (), "[]"),
    ],
)
def test_a_value_is_spelt_as_a_file_may_have_it(kind: str, value: Any, spelt: str) -> None:
    assert KINDS[kind].write(value) == spelt
    assert KINDS[kind].read(tomllib.loads(f"option = {spelt}")["option"]) == value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("duration", "10s", 10.0),
        ("duration", "10", 10.0),
        ("duration", "0.5", 0.5),
        ("size", "64KiB", 65_536),
        ("size", "4096", 4096),
        ("count", "12", 12),
        ("switch", "true", True),
        ("switch", "false", False),
        ("overflow", "drop-newest", "drop-newest"),
        ("transports", "websocket, long-polling", ("websocket", "long-polling")),
        ("origins", "", ()),
        ("origins", "https://a.example,https://B.example:1", ("https://a.example", "https://b.example:1")),
    ],
)
def test_a_variable_is_read_as_its_text_would_be_in_a_file(kind: str, text: str, value: object) -> None:
    read = KINDS[kind].read(KINDS[kind].from_text(text))

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("duration", ""),
        ("duration", "ten"),
        ("duration", "-1"),
        ("duration", "nan"),
        ("duration", "1e3"),
        ("size", "1.5"),
        ("count", "1.0"),
        ("count", "9" * 5000),
        ("switch", "yes"),
        ("switch", "True"),
        ("switch", "1"),
        ("overflow", ""),
        ("transports", ""),
        ("transports", "websocket,"),
        ("origins", '["https://a.example"]'),
    ],
)
def test_what_is_no_value_in_a_variable(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"^(a|one|true) "):
        KINDS[kind].read(KINDS[kind].from_text(text))
