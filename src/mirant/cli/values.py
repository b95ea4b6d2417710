"""Reading values of options that click has no type for. A wrong value is refused with an example."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

import click
import msgspec

_UNITS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def duration(text: str) -> float:
    """Return the seconds that *text*, such as ``10ms``, stands for."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m)", text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} should be a number with a unit: 500us, 10ms, 30s or 2m.")
    return float(found[1]) * _UNITS[found[2]]


def header(text: str) -> tuple[str, str]:
    """Return name and value of a header field."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} should be a header such as 'Authorization: Bearer abc'.")
    return name.strip(), value.strip()


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object as a dictionary."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"{text!r} should be a JSON object: {error}.") from None


def report_file(text: str) -> Path:
    """Return the path of a file that can be written. A long run would be in vain without its report."""
    file = Path(text)
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise click.BadParameter(f"{text!r} cannot be written.")
    return file


def file_mode(text: str) -> int:
    """Return the permissions that *text*, such as ``660``, stands for."""
    if re.fullmatch("0?[0-7]{3}", text) is None:
        raise click.BadParameter(f"{text!r} should be permissions such as 660, three octal digits.")
    return int(text, 8)
