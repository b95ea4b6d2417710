"""``only-fields`` and ``drop-fields``: which parts of an object are kept."""

import json
from typing import Any

import pytest
from hypothesis import given

from tests.policy.filters.declaring import JSON, chain, examples, fault_of, reason, run

MESSAGE = {
    "text": "hi",
    "html": "<b>hi</b>",
    "user": {"name": "ann", "email": "ann@example.org", "home": {"town": "Ulm", "street": "Ring"}},
    "files": [
        {"name": "a", "path": "/a"},
        {"name": "b", "path": "/b"},
        "odd",
        1,
        [{"name": "c", "path": "/c"}],
    ],
}


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["text"], {"text": "hi"}),
        (["missing"], {}),
        (["user.name", "text"], {"text": "hi", "user": {"name": "ann"}}),
        (["user", "user.name"], {"user": MESSAGE["user"]}),
        (["user.name", "user"], {"user": MESSAGE["user"]}),
        (["user.home.town"], {"user": {"home": {"town": "Ulm"}}}),
        (["text.part"], {}),
        (["files.name"], {"files": [{"name": "a"}, {"name": "b"}, [{"name": "c"}]]}),
    ],
)
def test_only_fields_leaves_what_is_named(names: list[str], left: object) -> None:
    assert run(chain({"only-fields": names}), MESSAGE) == left


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        (["html"], [["html"]]),
        (["user.email", "html"], [["user", "email"], ["html"]]),
        (["user.email", "user"], [["user"]]),
        (["user", "user.email"], [["user"]]),
        (["user.home.street"], [["user", "home", "street"]]),
        (["files.path"], [["files", 0, "path"], ["files", 1, "path"], ["files", 4, 0, "path"]]),
    ],
)
def test_drop_fields_takes_out_what_is_named(names: list[str], gone: list[list[Any]]) -> None:
    left = json.loads(json.dumps(MESSAGE))
    for *above, last in gone:
        part = left
        for step in above:
            part = part[step]
        del part[last]

    assert run(chain({"drop-fields": names}), MESSAGE) == left


@pytest.mark.parametrize(
    "declared", [{"only-fields": ["a.b", "c"]}, {"drop-fields": ["x", "a.x", "c.x"]}], ids=str
)
def test_what_loses_nothing_is_the_same_object(declared: object) -> None:
    raw = b'{"c": 1.10, "a": [{"b": 1e400}]}'

    assert chain(declared)(raw) is raw


def test_what_stays_keeps_its_order_and_numbers() -> None:
    assert chain({"only-fields": ["b", "a"]})(b'{"a":1.10,"x":0,"b":1e400}') == b'{"a":1.10,"b":1e400}'
    assert chain({"drop-fields": ["x"]})(b'{"a":1.10,"x":0,"b":1e400}') == b'{"a":1.10,"b":1e400}'


@pytest.mark.parametrize("data", [None, 1, "text", ["text"], [{"text": 1}]])
def test_only_fields_wants_an_object(data: object) -> None:
    assert reason(chain({"only-fields": ["text"]}), data) == "object_expected"


@pytest.mark.parametrize("data", [None, 1, "text", ["text"]])
def test_drop_fields_leaves_alone_what_has_none(data: object) -> None:
    assert run(chain({"drop-fields": ["text"]}), data) == data


def test_drop_fields_looks_into_a_list_of_objects() -> None:
    assert run(chain({"drop-fields": ["text"]}), [{"text": 1, "a": 2}, [{"text": 1}]]) == [{"a": 2}, [{}]]


def test_what_they_leave_they_leave_again_by_example() -> None:
    filters = chain({"drop-fields": ["a", "b.c"]})
    left = filters(b'{"a":1,"b":[{"c":2,"d":[{"c":3}]}],"e":4}')

    assert left == b'{"b":[{"d":[{"c":3}]}],"e":4}'
    assert filters(left) is left


@examples
@given(JSON)
def test_what_they_leave_they_leave_again(raw: bytes) -> None:
    filters = chain({"drop-fields": ["<", "b.l", "t.t.t"]})
    left = filters(raw)

    assert filters(left) is left


@pytest.mark.parametrize("name", ["only-fields", "drop-fields"])
def test_names_that_are_none(name: str) -> None:
    values: list[object] = ["text", [], {}, 1, None]
    for value in values:
        path, sentence = fault_of({name: value})
        assert path == (name,)
        assert sentence == f'{name} = {value!r} should be a list of names, such as ["text", "user.name"]'
    for entry in ("", ".a", "a.", "a..b", 1):
        path, sentence = fault_of({name: ["fine", entry]})
        assert path == (name, 1)
        assert sentence.startswith(f"{entry!r} should be the name of a field")
