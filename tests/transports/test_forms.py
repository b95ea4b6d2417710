"""Forms and queries, read like the standard library does."""

from urllib.parse import parse_qs, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mirant.bayeux.codec import BodyInvalid
from mirant.transports.forms import MAX_FIELDS, unescape, values_of

#: Texts that are likely to be misread.
TEXTS = st.lists(
    st.sampled_from(
        [b"%", b"%4", b"%41", b"%fF", b"%3D", b"%25", b"+", b"=", b"\r", b"\n", b" ", b"a", b"\xe9"]
    )
).map(b"".join)


@given(TEXTS | st.binary().filter(lambda text: b"\x01" not in text and b"%01" not in text))
@example(b"%\r")
@example(b"100%")
@example(b"%%41")
@example(b"%=\r\n41")
def test_every_text_is_decoded_as_the_standard_library_does(text: bytes) -> None:
    assert unescape(text) == unquote_to_bytes(text.replace(b"+", b" "))


@given(
    st.lists(st.tuples(st.sampled_from([b"message", b"m%65ssage", b"jsonp", b"", b"x"]), TEXTS), max_size=9)
)
def test_every_form_is_split_as_the_standard_library_does(fields: list[tuple[bytes, bytes]]) -> None:
    form = b"&".join(b"%b=%b" % field for field in fields)
    read = parse_qs(form.decode("utf-8", "surrogateescape"), errors="surrogateescape").get("message", [])
    assert values_of(form, b"message") == [text.encode("utf-8", "surrogateescape") for text in read]


@pytest.mark.parametrize("text", [b"\x01", b"%01", b"a%01b"])
def test_a_control_character_that_no_json_has_is_refused(text: bytes) -> None:
    with pytest.raises(BodyInvalid, match="control"):
        unescape(text)


def test_a_field_without_a_value_is_no_value() -> None:
    assert values_of(b"message&message=&message=1&other=2", b"message") == [b"1"]


def test_so_many_fields_are_read_and_no_more() -> None:
    assert len(values_of(b"&".join([b"a=1"] * MAX_FIELDS), b"a")) == MAX_FIELDS
    with pytest.raises(BodyInvalid, match="fields"):
        values_of(b"&".join([b"a=1"] * (MAX_FIELDS + 1)), b"a")


def test_a_sign_that_begins_no_escape_stands_for_itself_but_not_a_mebibyte_of_them() -> None:
    assert unescape(b"%" * 5_000) == b"%" * 5_000
    with pytest.raises(BodyInvalid, match="%25"):
        unescape(b"%" * 1_000_000)
