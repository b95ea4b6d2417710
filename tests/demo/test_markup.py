"""Text on its way to the wire and back."""

from hypothesis import given
from hypothesis import strategies as st

from mirant.demo.markup import escape, unescape


@given(st.text(alphabet="<>&;ltgamp#6\"' x"))
def test_text_comes_back_as_it_was_typed(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not {"<", ">"} & set(escape(text))


@given(st.text(alphabet="<>&;ltgamp#6\"' x"))
def test_it_comes_back_by_way_of_the_page_and_the_filter(text: str) -> None:
    sent = text.replace("&", "&amp;")
    filtered = sent.replace("<", "&lt;").replace(">", "&gt;")
    assert unescape(filtered) == text
