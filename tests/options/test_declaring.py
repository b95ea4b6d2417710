"""Declaring options: what a declaration says of each, and what a dataclass of them takes in code."""

from dataclasses import dataclass
from typing import Any

import pytest

from mirant.options.declaring import Fault, check_options, option, options_of, variable_prefix
from mirant.options.values import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    wait: float = option("lamp-post", "duration", "How long it is dark.", default=1.5)
    code: str | None = option("lamp-post", "overflow", "What opens it.", default=None, secret=True)
    from_: int = option("lamp-post", "count", "The first.", default=1, name="from")

    def __post_init__(self) -> None:
        check_options(self)


def test_a_declaration_says_where_an_option_is_and_which_variable_it_has() -> None:
    wait, code, first = options_of(Lamp)

    assert (wait.path, wait.variable) == (("lamp-post", "wait"), "MIRANT_LAMP_POST_WAIT")
    assert (first.attribute, first.path) == ("from_", ("lamp-post", "from"))
    assert (wait.default, wait.type, wait.kind_name) == (1.5, "float", "duration")
    assert (wait.secret, code.secret) == (False, True)
    assert variable_prefix("lamp-post") == "MIRANT_LAMP_POST_"


def test_a_value_is_read_as_a_file_spells_it_and_a_wrong_one_is_quoted() -> None:
    wait, code, _ = options_of(Lamp)

    assert wait.read("2m") == 120
    with pytest.raises(SettingsError, match=r"^'soon' should be a duration"):
        wait.read("soon")
    with pytest.raises(SettingsError, match=r"^this should be one of"):
        code.read("hunter2")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"wait": "2m"}, "wait: '2m' should be of its type, float"),
        ({"wait": -1}, "wait: -1 should be a duration"),
        ({"from_": None}, "from_: None should be a whole number"),
        ({"code": "hunter2"}, "code: this should be one of"),
    ],
)
def test_values_in_code_are_checked_and_spellings_of_files_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Lamp(**values)

    assert str(caught.value).startswith(said)
    assert caught.value.options == tuple(values)


def test_none_is_a_value_where_it_is_the_default() -> None:
    assert Lamp(code=None).code is None


def test_a_fault_of_a_variable_names_that() -> None:
    assert str(Fault(("lamp", "wait"), "no", "MIRANT_LAMP_WAIT")) == "MIRANT_LAMP_WAIT: no"


@pytest.mark.parametrize(
    ("path", "spelt"),
    [
        (("channel", 0, "filters", 1, "regex"), "channel[0].filters[1].regex"),
        (("a", 0, 1), "a[0][1]"),
        (("a b", "c.d", ""), '"a b"."c.d".""'),
    ],
)
def test_a_path_is_spelt_as_one_writes_it(path: tuple[str | int, ...], spelt: str) -> None:
    assert str(Fault(path, "no")) == f"{spelt}: no"


def test_what_has_no_place_has_its_sentence() -> None:
    assert str(Fault((), "no")) == "no"
