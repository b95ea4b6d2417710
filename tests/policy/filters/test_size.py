"""``size``: the bytes of the data are limited at the filter's place in the list."""

import pytest

from tests.policy.filters.declaring import chain, fault_of, reason


def test_the_limit_itself_fits() -> None:
    raw = b'"' + b"x" * 2_046 + b'"'

    assert chain({"size": "2KiB"})(raw) is raw
    assert reason(chain({"size": "2KiB"}), b" " + raw) == "too_large"


def test_bytes_count_not_characters() -> None:
    assert reason(chain({"size": 6}), '"ééé"'.encode()) == "too_large"
    assert chain({"size": 8})('"ééé"'.encode()) == '"ééé"'.encode()


def test_first_it_measures_what_came_and_later_what_is_left() -> None:
    raw = b'{"a": "<", "b": 1}'

    assert chain({"size": 18}, "no-markup")(raw) == b'{"a":"&lt;","b":1}'
    assert reason(chain({"size": 17}, "no-markup"), raw) == "too_large"
    assert reason(chain("no-markup", {"size": 17}), raw) == "too_large"
    assert chain({"drop-fields": ["a"]}, {"size": 7})(raw) == b'{"b":1}'


def test_it_needs_no_json_to_be_read() -> None:
    assert reason(chain({"size": 10}), b"[" * 1_000_000) == "too_large"


@pytest.mark.parametrize("value", ["2 kilobytes", 0, -1, True, None, [1]])
def test_a_size_that_is_none(value: object) -> None:
    path, sentence = fault_of({"size": value})

    assert path == ("size",)
    assert sentence == f'size = {value!r} should be a size such as "64KiB" or a number of bytes, from 1'
