"""Values of options at the command line: what is read, and the example in a refusal."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mirant.cli.values import duration, file_mode, header, json_object, report_file


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500us", 0.0005), ("500µs", 0.0005), ("10ms", 0.01), ("1.5s", 1.5), (" 2 m ", 120), ("0s", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


def test_headers() -> None:
    assert header("Authorization: Bearer a:b") == ("Authorization", "Bearer a:b")
    assert header("X-Empty:") == ("X-Empty", "")


def test_objects_of_json() -> None:
    assert json_object('{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize(("text", "mode"), [("660", 0o660), ("0600", 0o600), ("777", 0o777)])
def test_modes_of_files(text: str, mode: int) -> None:
    assert file_mode(text) == mode


@pytest.mark.parametrize(
    ("read", "text", "example"),
    [
        (duration, "10", "500us, 10ms, 30s or 2m"),
        (duration, "-1s", "500us, 10ms, 30s or 2m"),
        (duration, "1h", "500us, 10ms, 30s or 2m"),
        (header, "Authorization", "Authorization: Bearer abc"),
        (header, ": x", "Authorization: Bearer abc"),
        (json_object, "[]", "should be a JSON object"),
        (json_object, "{", "should be a JSON object"),
        (file_mode, "66", "three octal digits"),
        (file_mode, "668", "three octal digits"),
        (file_mode, "0o660", "three octal digits"),
    ],
)
def test_what_cannot_be_is_refused_with_an_example(
    read: Callable[[str], object], text: str, example: str
) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read(text)
    assert repr(text) in caught.value.message
    assert example in caught.value.message


def test_a_report_goes_to_a_file_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("")

    assert report_file(str(tmp_path / "new")) == tmp_path / "new"
    assert report_file(str(tmp_path / "old")) == tmp_path / "old"
    for path in (tmp_path, tmp_path / "missing" / "new"):
        with pytest.raises(click.BadParameter, match="cannot be written"):
            report_file(str(path))
