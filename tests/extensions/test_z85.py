"""Z85, with CometD's rule for a last group of fewer than four bytes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.extensions import z85

#: Shared with the browser client, which must agree to the letter.
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "z85.json").read_text())

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def test_there_are_vectors() -> None:
    assert {"hex": "864fd26fb559f75b", "text": "HelloWorld"} in VECTORS
    assert {len(vector["hex"]) // 2 % 4 for vector in VECTORS} == {0, 1, 2, 3}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["hex"] or "empty")
def test_bytes_as_text(vector: dict[str, str]) -> None:
    assert z85.encode(bytes.fromhex(vector["hex"])) == vector["text"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"] or "empty")
def test_text_as_bytes(vector: dict[str, str]) -> None:
    assert z85.decode(vector["text"]).hex() == vector["hex"]


@given(st.binary(max_size=200))
def test_what_was_encoded_is_decoded(data: bytes) -> None:
    assert z85.decode(z85.encode(data)) == data


@given(st.binary(max_size=200))
def test_four_bytes_are_five_characters_of_the_alphabet(data: bytes) -> None:
    text = z85.encode(data)
    assert set(text) <= set(ALPHABET)
    assert len(text) == len(data) // 4 * 5 + (len(data) % 4 + 1 if len(data) % 4 else 0)


@given(st.text(ALPHABET, max_size=20))
def test_any_text_of_the_alphabet_is_bytes_or_refused(text: str) -> None:
    try:
        data = z85.decode(text)
    except ValueError:
        return
    assert len(data) == len(text) // 5 * 4 + max(len(text) % 5 - 1, 0)


@given(st.text(max_size=20))
def test_any_other_text_is_refused(text: str) -> None:
    if not set(text) <= set(ALPHABET):
        with pytest.raises(ValueError, match=r"\w"):
            z85.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "H",
        "HelloW",
        "Hell o",
        "Hello\n",
        "Hell~",
        "Hell,",
        'Hell"',
        "Hell\\",
        "Hell'",
        "Hell;",
        "Hell_",
        "Hell`",
        "Hell|",
        "Hellé",
        "Hell\x00",
        "Hell\ud800",
        "\uff05nSc0",
        "#####",
        "%nSc1",
        "Hello#####",
        "##",
        "####",
    ],
)
def test_what_is_no_z85(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        z85.decode(text)


@pytest.mark.parametrize("text", ["#0000", "00000#0000", "00000" * 7 + "%nSc1"])
def test_a_group_that_is_more_than_four_bytes_is_refused_wherever_it_stands(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        z85.decode(text)
    with pytest.raises(ValueError, match=r"\w"):
        z85.check(text)


@pytest.mark.parametrize("text", ["0000é", "0000\N{FULLWIDTH DIGIT ZERO}", "0000 ", "0000'"])
def test_what_is_no_digit_is_refused_as_such(text: str) -> None:
    for judge in (z85.decode, z85.check):
        with pytest.raises(ValueError, match="no digit of Z85"):
            judge(text)
