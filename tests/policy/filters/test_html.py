"""``no-scripts`` and ``sanitize``: markup without what runs code."""

import json
import time
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirant.policy.filters import Dropped
from mirant.policy.filters.html import MAX_ATTRIBUTES, MAX_HTML, MAX_TAGS, no_scripts
from tests.policy.filters.declaring import chain, examples, fault_of, faults_of, reason, run

NO_SCRIPTS = chain("no-scripts")
SANITIZE = chain("sanitize")
BOTH = pytest.mark.parametrize("filters", [NO_SCRIPTS, SANITIZE], ids=["no-scripts", "sanitize"])


class Tags(HTMLParser):
    """Collects the elements and attributes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//example.org/x.js></SCRIPT>",
        "< script>alert(1)</script>",
        "<script/x>alert(1)</script>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<IMG SRC=x OnError\n=\nalert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="java\nscript:alert(1)">x</a>',
        '<a href=" &#106;avascript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<form action="javascript:alert(1)"><input type=submit></form>',
        '<button formaction="javascript:alert(1)">x</button>',
        '<video poster="javascript:alert(1)" src="javascript:alert(1)"></video>',
        '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
        '<object data="javascript:alert(1)"></object><embed src="javascript:alert(1)">',
        '<base href="//example.org/"><link rel=import href=x>',
        '<meta http-equiv=refresh content="0;javascript:1">',
        '<div style="background:url(javascript:alert(1))">x</div>',
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<textarea></textarea><img src=x onerror=alert(1)>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<script",
        "<img src=x onerror=alert(1)",
    ],
)
def test_nothing_that_runs_is_left(filters: Any, text: str) -> None:
    [in_list] = run(filters, {"html": [text]})["html"]
    [in_key] = run(filters, {text: 1})
    for left in (run(filters, text), in_list, in_key):
        found = Tags(left)
        assert not found.names & {
            "script",
            "svg",
            "math",
            "iframe",
            "object",
            "embed",
            "base",
            "link",
            "meta",
        }
        assert not [
            name for name, _ in found.attributes if name.startswith("on") or name in ("style", "srcdoc")
        ]
        assert not [value for _, value in found.attributes if value and "script:" in value.lower()]


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b>",
        "<p>a <em>b</em></p>",
        '<img src="/cat.png" alt="cat">',
        "<table><tbody><tr><td>1</td></tr></tbody></table>",
    ],
)
def test_plain_markup_stays(filters: Any, text: str) -> None:
    raw = json.dumps({"html": text}).encode()

    assert filters(raw) is raw


def test_forms_and_media_stay_without_scripts_only() -> None:
    form = '<form action="/go" method="post"><label>a <input type="text" value="x"></label></form>'
    text = form + '<video controls="" src="/v.mp4"></video>'

    assert run(NO_SCRIPTS, text) == text
    assert run(SANITIZE, text) == "a "


def test_links_are_marked() -> None:
    assert run(SANITIZE, '<a href="/x">x</a>') == '<a href="/x" rel="noopener noreferrer">x</a>'


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "AT&T",
        "a > b",
        '"quoted"',
        "&lt;b&gt;",
        "\uff1cscript\uff1e \u2039script\u203a",
        "\u017fcript",
        "\0\u2028😀",
    ],
)
def test_what_has_no_tag_is_not_taken_for_markup(filters: Any, text: str) -> None:
    raw = json.dumps([text, {text: 1.5}]).encode()

    assert filters(raw) is raw


@BOTH
def test_what_has_one_is_markup_throughout(filters: Any) -> None:
    assert run(filters, "<b>AT&T</b> 1 < 2") == "<b>AT&amp;T</b> 1 &lt; 2"


@BOTH
def test_keys_that_become_equal_drop_the_message(filters: Any) -> None:
    assert reason(filters, {"<script></script>a": 1, "a": 2}) == "duplicate_key"


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *("<b>", "</b>", "<p>", "</p>", "<a href=javascript:x>", "</a>", "<img src=x onerror=y>", "<x"),
            *("<script>", "</script>", "<svg>", "<math>", "<style>", "<table>", "<td>"),
            *("<!--", "-->", "<![CDATA[", "]]>", "'", '"', "=", ">", "<", "&lt;", "&#60;", "&"),
            *(" onload=x ", "text", "\u00e9"),
        ]
    ),
    max_size=10,
).map("".join)


@BOTH
@examples
@given(text=FRAGMENTS)
def test_of_any_markup_only_what_is_harmless_is_left(filters: Any, text: str) -> None:
    left = run(filters, text)
    found = Tags(left)

    assert not found.names & {"script", "svg", "math", "style"}
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert not [value for _, value in found.attributes if value and "javascript:" in value]


@BOTH
@pytest.mark.parametrize(
    "text",
    ["<b>a & b</b> 1 < 2 &amp; <p>x<script>y</script>", "<b><i>x</b>y</i>", '<a href="/?a=1&b=2">x</a>'],
)
def test_what_is_clean_stays_as_it_is(filters: Any, text: str) -> None:
    left = filters(json.dumps(text).encode())

    assert filters(left) is left


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        "<b>" + "x" * MAX_HTML,
        ["<b>" + "x" * (MAX_HTML // 2)] * 3,
        "<b>" * (MAX_TAGS + 1),
        ["<b>x"] * (MAX_TAGS + 1),
        {f"<b>{n}": 1 for n in range(MAX_TAGS + 1)},
        "<b" + " a" * (MAX_ATTRIBUTES + 1) + ">",
        ["<b" + " a" * (MAX_ATTRIBUTES // 2) + ">"] * 3,
        "<b" + "/a" * (MAX_ATTRIBUTES + 1) + ">",
        "<b" + ' a="1"' * (MAX_ATTRIBUTES + 1) + ">",
        "<b a" + "=1 a" * (MAX_ATTRIBUTES + 1) + ">",
        "<b x='>'" + " a" * (MAX_ATTRIBUTES + 1) + ">",
        '<b x=y" z=">"' + " a" * (MAX_ATTRIBUTES + 1) + ">",
        "<b>" + "<b" + "\f\na" * (MAX_ATTRIBUTES + 1),
    ],
    ids=[
        *("long", "long together", "many", "many together", "many keys"),
        *("attributes", "attributes together", "with slashes", "with values", "repeated"),
        *("after a quoted bracket", "after an odd quote", "without an end"),
    ],
)
def test_more_markup_than_can_be_parsed_in_time_drops_the_message(filters: Any, data: object) -> None:
    assert reason(filters, data) == "too_much_markup"


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "<p>" + "word and/or more = " * 1_000 + "</p>",
        '<p class="a b c d" id = "x">' + "words of all kinds " * 1_000 + "<br/></p >",
        "".join(f"<a href=\"/{n}\" title='a > b'>words</a> and words " for n in range(MAX_ATTRIBUTES // 2)),
        "<b" + ' a="1 2/3=4"' * MAX_ATTRIBUTES + ">" + "words " * 1_000,
    ],
    ids=["words", "well written", "links", "as many as there may be"],
)
def test_words_are_not_taken_for_attributes(filters: Any, text: str) -> None:
    assert run(filters, text)


CLONED = "<p>" + "".join(f"<i {' '.join(f'a{n}' for n in range(140))} title={n}>" for n in range(48))


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        CLONED + "<p>x" * 48,
        "<p>" + "".join(f"<font color={n} size={n}>" for n in range(33)) + "<p>x" * 66,
        "<p>" + "".join(f"<i title={n}>" for n in range(49)) + "<p>x" * 50,
        "<a" + " b='" * (MAX_HTML // 4),
        "<a b=\"<a c='" * (MAX_TAGS // 2) + "\">'>" * 1_000,
    ],
    ids=["cloned attributes", "small", "one attribute each", "open quotes", "quotes in quotes"],
)
def test_the_worst_markup_takes_milliseconds(filters: Any, text: str) -> None:
    raw = json.dumps(text).encode()
    began = time.perf_counter()
    for _ in range(20):
        with suppress(Dropped):
            filters(raw)

    assert (time.perf_counter() - began) / 20 < 0.02  # 2 ms; without the bound on attributes 50


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"<font size={n}><p>" for n in range(MAX_TAGS // 2)),
        "<div>" * MAX_TAGS,
        "<b " + " ".join(f"a{n}" for n in range(5_000)) + ">",
        "<b>" + "&notit;" * 4_000,
        "<a><b><table>" * (MAX_TAGS // 3),
    ],
    ids=["formatting", "depth", "attributes", "entities", "tables"],
)
def test_hostile_markup_is_done_soon(filters: Any, text: str) -> None:
    began = time.perf_counter()
    with suppress(Dropped):
        run(filters, text)

    assert time.perf_counter() - began < 2  # 0.06 s on a slow machine; unbounded it takes minutes


def test_a_long_text_without_markup_is_none_of_its_business() -> None:
    raw = json.dumps("x" * 1_000_000).encode()

    assert NO_SCRIPTS(raw) is raw


def test_own_lists() -> None:
    filters = chain(
        {"sanitize": {"tags": ["b", "a"], "attributes": {"a": ["href"]}, "url_schemes": ["https"]}}
    )

    assert run(
        filters, '<b class="x">b</b><i>i</i><a href="https://x.org">1</a><a href="http://x.org">2</a>'
    ) == (
        '<b>b</b>i<a href="https://x.org" rel="noopener noreferrer">1</a><a rel="noopener noreferrer">2</a>'
    )
    assert run(chain({"sanitize": {"tags": []}}), "<b>b</b><script>x</script>") == "b"
    assert (
        run(chain({"sanitize": {"attributes": {"*": ["class"]}}}), '<p class="x" id="y">')
        == '<p class="x"></p>'
    )


def test_its_name_says_what_it_allows() -> None:
    assert [
        each.name
        for each in chain({"sanitize": {"tags": ["i", "b"]}}, {"sanitize": {}}, "no-scripts").filters
    ] == [
        "sanitize b i",
        "sanitize",
        "no-scripts",
    ]


@pytest.mark.parametrize(
    ("options", "path", "sentence"),
    [
        ("b", (), "sanitize = 'b' should be a table with some of tags, attributes, url_schemes"),
        ({"tag": ["b"]}, ("tag",), "sanitize has no option 'tag'; did you mean tags?"),
        ({"zzz": 1}, ("zzz",), "sanitize has no option 'zzz'; there are tags, attributes, url_schemes"),
        ({"tags": "b"}, ("tags",), "tags = 'b' should be a list of names"),
        ({"tags": ["b", "<i>"]}, ("tags", 1), "'<i>' should be a name in small letters"),
        ({"tags": ["B"]}, ("tags", 0), "'B' should be a name in small letters"),
        ({"tags": [1]}, ("tags", 0), "1 should be a name in small letters"),
        ({"tags": ["script"]}, ("tags", 0), "script cannot be allowed: it is not safe; leave it out"),
        (
            {"url_schemes": ["javascript"]},
            ("url_schemes", 0),
            "javascript cannot be allowed: it is not safe; leave it out",
        ),
        (
            {"attributes": ["href"]},
            ("attributes",),
            'attributes = [\'href\'] should be a table of lists, such as { a = ["href"], "*" = ["title"] }',
        ),
        ({"attributes": {"a": "href"}}, ("attributes", "a"), "a = 'href' should be a list of names"),
        (
            {"attributes": {"b": ["onclick"]}},
            ("attributes", "b"),
            "onclick cannot be allowed: it runs code; leave it out",
        ),
        (
            {"attributes": {"b": ["style"]}},
            ("attributes", "b", 0),
            "style cannot be allowed: it is not safe; leave it out",
        ),
        (
            {"attributes": {"a": ["rel"]}},
            ("attributes", "a"),
            "rel cannot be allowed: the filter sets it on links",
        ),
        (
            {"tags": ["b"], "attributes": {"a": ["href"]}},
            ("attributes", "a"),
            "the tag a is not allowed: add it to tags",
        ),
    ],
)
def test_options_that_cannot_be(options: object, path: tuple[str | int, ...], sentence: str) -> None:
    assert fault_of({"sanitize": options}) == (("sanitize", *path), sentence)


def test_all_that_is_wrong_is_said_at_once() -> None:
    faults = faults_of(
        {"sanitize": {"tags": ["script", "B"], "attributes": {"p": ["onclick"]}, "url_schemes": 1, "x": 1}}
    )

    assert len(faults) == 6


def test_a_dropped_message_says_why() -> None:
    with pytest.raises(Dropped, match=r"^too_much_markup$"):
        NO_SCRIPTS(json.dumps("<" * 1_000).encode())


def test_markup_that_multiplies_when_it_is_closed_is_dropped() -> None:
    opened = "".join(f"<i title=a{number}>" for number in range(48))
    with pytest.raises(Dropped, match="too_much_markup"):
        no_scripts()("<p>" + opened + "<p>x" * 49)


#: What `no-scripts` keeps beside nh3's own list: elements, each with its attributes.
KEPT = {
    "audio": "controls loop muted preload src",
    "big": "",
    "button": "disabled type value",
    "fieldset": "",
    "figcaption": "",
    "figure": "",
    "font": "color face size",
    "form": "action method",
    "input": "checked disabled max maxlength min placeholder step type value",
    "label": "",
    "legend": "",
    "main": "",
    "meter": "high low max min optimum value",
    "optgroup": "",
    "option": "disabled selected value",
    "picture": "",
    "progress": "max value",
    "section": "",
    "select": "disabled multiple size",
    "source": "media sizes src type",
    "track": "kind label src srclang",
    "tt": "",
    "video": "controls height loop muted poster preload src width",
}


@pytest.mark.parametrize("tag", KEPT)
def test_no_scripts_keeps_the_markup_of_pages(tag: str) -> None:
    names = [*KEPT[tag].split(), "align", "class", "dir", "role", "tabindex"]
    text = f"<{tag} {' '.join(f'{name}=https://example.org' for name in names)}></{tag}>"
    left = Tags(run(NO_SCRIPTS, text))
    assert left.names == {tag}
    assert {name for name, _ in left.attributes} == set(names)


UNSAFE = [
    "applet",
    "base",
    "embed",
    "frame",
    "frameset",
    "iframe",
    "link",
    "math",
    "meta",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "plaintext",
    "script",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "xmp",
]


@pytest.mark.parametrize("tag", UNSAFE)
def test_an_element_that_is_not_safe_is_neither_kept_nor_can_it_be_allowed(tag: str) -> None:
    assert tag not in Tags(run(NO_SCRIPTS, f"a<{tag}>b</{tag}>")).names
    where, sentence = fault_of({"sanitize": {"tags": [tag]}})
    assert where[-2:] == ("tags", 0)
    assert sentence.startswith(f"{tag} cannot be allowed")


@pytest.mark.parametrize("attribute", ["srcdoc", "style"])
def test_an_attribute_that_is_not_safe_cannot_be_allowed(attribute: str) -> None:
    _, sentence = fault_of({"sanitize": {"tags": ["b"], "attributes": {"b": [attribute]}}})
    assert sentence.startswith(f"{attribute} cannot be allowed")


@pytest.mark.parametrize("scheme", ["data", "javascript", "vbscript"])
def test_a_scheme_that_is_not_safe_cannot_be_allowed(scheme: str) -> None:
    _, sentence = fault_of({"sanitize": {"url_schemes": [scheme]}})
    assert sentence.startswith(f"{scheme} cannot be allowed")
