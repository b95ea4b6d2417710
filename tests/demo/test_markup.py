"""Text on its way to the wire and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.demo.markup import escape, unescape


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("&lt;", "&amp;lt;"),
        ("&amp;lt;", "&amp;amp;lt;"),
        ('"it\'s"', '"it\'s"'),
        ("", ""),
    ],
)
def test_text_as_it_is_sent_and_as_it_was_typed(typed: str, sent: str) -> None:
    assert escape(typed) == sent
    assert unescape(sent) == typed


def test_other_entities_stay_as_they_are() -> None:
    assert unescape("&quot;&#60;&lt") == "&quot;&#60;&lt"


@given(st.text(alphabet="<>&;ltgamp#6\"' x"))
def test_text_comes_back_as_it_was_typed(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not {"<", ">"} & set(escape(text))


@given(st.text(alphabet="<>&;ltgamp#6\"' x"))
def test_it_comes_back_by_way_of_the_page_and_the_filter(text: str) -> None:
    sent = text.replace("&", "&amp;")
    filtered = sent.replace("<", "&lt;").replace(">", "&gt;")
    assert unescape(filtered) == text
