"""Reading ``filters``: the values that are allowed, and the faults of all others."""

from pathlib import Path

import pytest

from mirant.options.declaring import Fault
from mirant.policy.filters import read_filters
from tests.policy.filters.declaring import chain, fault_of, faults_of


def test_every_filter_has_a_name_to_read(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text("{}")
    filters = chain(
        "no-markup",
        "no-scripts",
        "sanitize",
        {"regex": [["[fF].ck", "dang"]]},
        {"size": "2KiB"},
        {"schema": "chat.json"},
        {"only-fields": ["text", "user.name"]},
        {"drop-fields": ["html"]},
        {"custom": "copy:copy"},
        base=tmp_path,
    )

    assert [each.name for each in filters.filters] == [
        "no-markup",
        "no-scripts",
        "sanitize",
        "regex [fF].ck",
        "size 2KiB",
        "schema chat.json",
        "only-fields text user.name",
        "drop-fields html",
        "custom copy:copy",
    ]


@pytest.mark.parametrize("value", ["no-markup", {"size": 1}, 3, None])
def test_it_is_a_list(value: object) -> None:
    assert read_filters(value, ("channel", 0, "filters"), Path()) == (
        (),
        [
            Fault(
                ("channel", 0, "filters"),
                f'filters = {value!r} should be a list, such as ["no-markup", {{ size = "2KiB" }}]',
            )
        ],
    )


def test_it_may_be_empty() -> None:
    assert read_filters([], (), Path()) == ((), [])


@pytest.mark.parametrize(
    ("entry", "path", "sentence"),
    [
        ("no-markups", (), "there is no filter 'no-markups'; did you mean no-markup?"),
        ("NO_SCRIPTS", (), "there is no filter 'NO_SCRIPTS'; did you mean no-scripts?"),
        (
            {"only_fields": ["a"]},
            ("only_fields",),
            "there is no filter 'only_fields'; did you mean only-fields?",
        ),
        ({"rgex": []}, ("rgex",), "there is no filter 'rgex'; did you mean regex?"),
        (
            "zzz",
            (),
            "there is no filter 'zzz'; there are no-markup, no-scripts, sanitize, regex, size, schema, "
            'only-fields, drop-fields, custom, and your own: "app.filters:tidy"',
        ),
        ("size", (), 'size needs a value; write { size = "2KiB" }'),
        ("regex", (), 'regex needs a value; write { regex = [["teh ", "the "]] }'),
        ({"no-markup": True}, ("no-markup",), 'no-markup takes no value; write "no-markup"'),
        ({}, (), '{} should be the name of a filter, or a table with one: { size = "2KiB" }'),
        (3, (), '3 should be the name of a filter, or a table with one: { size = "2KiB" }'),
        (
            {"size": 1, "custom": "a:b"},
            (),
            "{'size': 1, 'custom': 'a:b'} should be the name of a filter, "
            'or a table with one: { size = "2KiB" }',
        ),
    ],
)
def test_entries_that_are_none(entry: object, path: tuple[str, ...], sentence: str) -> None:
    assert fault_of(entry) == (path, sentence)


def test_all_that_is_wrong_is_said_at_once() -> None:
    declared = ["no-markup", "nope:", {"size": "big"}, {"regex": ["(", "["]}, {"drop-fields": ["a"]}, "zzz"]

    assert [path for path, _ in faults_of(*declared)] == [
        (1,),
        (2, "size"),
        (3, "regex", 0),
        (3, "regex", 1),
        (5,),
    ]


def test_what_is_right_beside_it_is_read() -> None:
    filters, faults = read_filters(["zzz", {"size": 1}], (), Path())

    assert [each.name for each in filters] == ["size 1"]
    assert len(faults) == 1


@pytest.mark.parametrize("name", ["regex", "size", "schema", "only-fields", "drop-fields", "custom"])
def test_a_filter_that_needs_a_value_is_shown_with_one(name: str) -> None:
    _, sentence = fault_of(name)
    assert f"{{ {name} = " in sentence
