"""argued.toml: which changes survive for a reason."""

from pathlib import Path

import pytest

from tests.mutants.argued import is_argued, name_of, read_arguments
from tests.mutants.choosing import modules
from tests.mutants.finding import find_changes


def test_each_entry_is_about_a_change_that_there_is() -> None:
    """An entry whose line was rewritten is taken out, or written anew."""
    arguments = read_arguments()
    changes = [change for module in modules([]) for change in find_changes(module)]
    gone = [str(argument) for argument in arguments if not any(map(argument.covers, changes))]
    assert gone == []


def test_an_entry_covers_its_change_alone(tmp_path: Path) -> None:
    change, other = find_changes("engines/history")[:2]
    file = tmp_path / "argued.toml"
    entry = {"module": change.module, "where": change.where, "code": change.code(), "change": name_of(change)}
    lines = [f"{name} = {value!r}" for name, value in {**entry, "reason": "It is a test."}.items()]
    file.write_text("\n".join(["[[argued]]", *lines]))
    assert is_argued(change, read_arguments(file))
    assert not is_argued(other, read_arguments(file))


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "argued.toml"
    file.write_text('[[argued]]\nmodule = "a"\nwhere = "b"\ncode = "c"\nreason = " "')
    with pytest.raises(ValueError, match="say the reason"):
        read_arguments(file)
