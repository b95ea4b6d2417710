"""Jetty's ``filters.json``: read as it is, or an error that says what to write."""

import json
from pathlib import Path
from typing import Any

import pytest

from mirant.policy.filters import Chain, Dropped
from mirant.policy.jetty import load_filters

# The file of CometD's own demo.
DEMO = r"""
[
    {
        "channels": "/chat/**",
        "filter"  : "org.cometd.server.filter.NoMarkupFilter",
        "init"    : {}
    },
    {
        "channels": "/chat/*",
        "filter"  : "org.cometd.server.filter.RegexFilter",
        "init"    : [ [ "[fF].ck", "dang" ], [ "teh ", "the " ] ]
    },
    {
        "channels": "/chat/**",
        "filter"  : "org.cometd.server.filter.RegexFilter",
        "init"    : [ [ "[Mm]icrosoft", "Micro\\$oft" ], [ ".*tomcat.*", null ] ]
    }
]
"""


def write(tmp_path: Path, content: object) -> Path:
    """Return the path of a file with *content*, a text or a value."""
    path = tmp_path / "filters.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def chains(tmp_path: Path, content: object, **classes: str) -> list[tuple[str, Chain]]:
    """Return what a file with *content* declares, in which nothing is wrong."""
    assignments, faults = load_filters(write(tmp_path, content), classes=classes)
    assert faults == []
    return [(scope.name, Chain(filters)) for scope, filters in assignments]


def regex(tmp_path: Path, *rules: object) -> Chain:
    """Return the chain of a RegexFilter with *rules*."""
    [(_, chain)] = chains(tmp_path, [{"channels": "/a", "filter": "RegexFilter", "init": rules}])
    return chain


def run(chain: Chain, data: object) -> Any:
    """Return what *chain* leaves of *data*."""
    return json.loads(chain(json.dumps(data).encode()))


def faults_of(tmp_path: Path, content: object) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is said about a file with *content*."""
    _, faults = load_filters(write(tmp_path, content))
    return [(fault.path, fault.sentence) for fault in faults]


def test_the_file_of_the_demo(tmp_path: Path) -> None:
    found = chains(tmp_path, DEMO)

    assert [channel for channel, _ in found] == ["/chat/**", "/chat/*", "/chat/**"]
    assert [[each.name for each in chain.filters] for _, chain in found] == [
        ["no-markup"],
        ["regex [fF].ck teh "],
        ["regex [Mm]icrosoft .*tomcat.*"],
    ]
    markup, words, names = (chain for _, chain in found)
    assert run(markup, {"chat": "<b>"}) == {"chat": "&lt;b&gt;"}
    assert run(words, {"chat": "teh fock"}) == {"chat": "the dang"}
    assert run(names, {"chat": "microsoft"}) == {"chat": "Micro$oft"}
    with pytest.raises(Dropped, match=r"^forbidden_text$"):
        names(b'{"chat":"I like tomcat!"}')


@pytest.mark.parametrize(
    "package", ["", "org.mortbay.cometd.filter.", "org.cometd.server.filter.", "dojox.cometd.filter."]
)
def test_classes_with_any_of_their_packages(tmp_path: Path, package: str) -> None:
    declared = [
        {"channels": "/a", "filter": f"{package}NoMarkupFilter"},
        {"channels": "/a", "filter": f"{package}NoScriptsFilter", "init": None},
        {"channels": "/a", "class": f"{package}RegexFilter", "init": [["a", "b"]]},
    ]

    names = [each.name for _, chain in chains(tmp_path, declared) for each in chain.filters]
    assert names == ["no-markup", "no-scripts", "regex a"]


def test_several_channels(tmp_path: Path) -> None:
    declared = [{"channels": ["/a", "/b/*", "/**"], "filter": "NoMarkupFilter"}]

    assert [channel for channel, _ in chains(tmp_path, declared)] == ["/a", "/b/*", "/**"]


def test_comments_and_last_commas(tmp_path: Path) -> None:
    text = """\ufeff/* Filters
    // for the chat */ [
      { "channels": "/a", // all "of" it
        "filter": "RegexFilter", "init": [["//x", "/*y*/"], /* , */ ["a,]", ",}"],], },
      // the end
    ]"""

    [(_, chain)] = chains(tmp_path, text)
    assert run(chain, "//x a,]") == "/*y*/ ,}"


@pytest.mark.parametrize("text", ["[]", "null", " [ ] // none"])
def test_files_without_filters(tmp_path: Path, text: str) -> None:
    assert load_filters(write(tmp_path, text)) == ([], [])


def test_null_wants_the_whole_text(tmp_path: Path) -> None:
    chain = regex(tmp_path, ["spam|eggs", None])

    assert run(chain, "spam and eggs") == "spam and eggs"
    assert run(chain, {"spam": 1}) == {"spam": 1}
    for text in ("spam", "eggs"):
        with pytest.raises(Dropped, match=r"^forbidden_text$"):
            run(chain, [text])


def test_keys_stay(tmp_path: Path) -> None:
    assert run(regex(tmp_path, ["user", "member"]), {"user": "user"}) == {"user": "member"}


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "left"),
    [
        ("(a)(b)", "$2$1", "ab", "ba"),
        ("(a)(b)", "$12", "ab", "a2"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10$11", "abcdefghij", "ja1"),
        ("(a)(b)", "$0!", "ab", "ab!"),
        ("(?<x>a)", "<${x}>", "a", "<a>"),
        ("a", "\\$1", "a", "$1"),
        ("a", "\\\\", "a", "\\"),
        ("a", "\\n", "a", "n"),
        (r"\Q[[&&\E", "x", "[[&&", "x"),
        (r"[\[&]", "x", "[&", "xx"),
        ("[a&b]", "x", "a&", "xx"),
        ("[a-c]&&[d]", "x", "b&&d", "x"),
    ],
)
def test_replacements_as_java_has_them(
    tmp_path: Path, pattern: str, replacement: str, text: str, left: str
) -> None:
    assert run(regex(tmp_path, [pattern, replacement]), text) == left


@pytest.mark.parametrize(
    ("rule", "path", "said"),
    [
        (["(?=a)b", "x"], (0,), "(?= is a look-ahead"),
        (["a++", None], (0,), "nothing here backtracks: write +"),
        ([r"(a)\1", "x"], (0,), r"\1 is a back-reference"),
        ([r"\u0041", "x"], (0,), r"\u0041 is written \x{0041} here"),
        (["[a-z&&[^b]]", "x"], (0,), "has && within [...]: classes cannot be nested or intersected"),
        (["[a-d[m-p]]", "x"], (0,), "has [ within [...]: classes cannot be nested or intersected"),
        ([")(", None], (0,), "unexpected )"),
        (["", None], (0,), "an empty pattern matches every text"),
        (["a", "$1"], (1,), "the pattern 'a' has no group 1; it has 0"),
        (["a", "${x}"], (1,), "the pattern 'a' has no group x; it has 0"),
        (["a", "5 $"], (1,), r"has a single $; write \$ or \\ for the character itself"),
        (["a", "x\\"], (1,), r"has a single \; write \$ or \\ for the character itself"),
        (["a"], (), "['a'] should be a pattern and its replacement, or null to drop the message"),
        ([None, "a"], (), "[None, 'a'] should be a pattern and its replacement, or null to drop the message"),
        ("a", (), "'a' should be a pattern and its replacement, or null to drop the message"),
    ],
)
def test_rules_that_cannot_be_honoured(
    tmp_path: Path, rule: object, path: tuple[int, ...], said: str
) -> None:
    declared = [{"channels": "/a", "filter": "RegexFilter", "init": [["a", "b"], rule]}]

    [(where, sentence)] = faults_of(tmp_path, declared)
    assert where == (0, "init", 1, *path)
    assert said in sentence


def test_own_filters(tmp_path: Path) -> None:
    declared = [
        {"channels": "/a", "filter": "copy:copy", "init": {}},
        {"channels": "/a", "filter": "com.example.Tidy"},
    ]
    assignments, faults = load_filters(
        write(tmp_path, declared), classes={"com.example.Tidy": "copy:deepcopy"}
    )

    assert faults == []
    assert [each.name for _, filters in assignments for each in filters] == [
        "custom copy:copy",
        "custom copy:deepcopy",
    ]


NO_MARKUP = {"channels": "/a", "filter": "NoMarkupFilter"}
OWN = 'a class of your own becomes a Python function: write its name, "app.filters:tidy"'


@pytest.mark.parametrize(
    ("entry", "path", "sentence"),
    [
        ("x", (), '\'x\' should be an object with "channels" and "filter"'),
        ({"filter": "NoMarkupFilter"}, (), 'this has no "channels", such as "channels": "/chat/**"'),
        (
            {"channel": "/a", "filter": "NoMarkupFilter"},
            ("channel",),
            "'channel' is not a key here; did you mean 'channels'?",
        ),
        (
            {"channels": "/a", "filters": "NoMarkupFilter"},
            ("filters",),
            "'filters' is not a key here; did you mean 'filter'?",
        ),
        ({**NO_MARKUP, "x": 1}, ("x",), "'x' is not a key here; there are: channels, filter, class, init"),
        (
            {**NO_MARKUP, "channels": ["/a/{b}/c", "/a/{b}c"]},
            ("channels", 1),
            "'/a/{b}c' is not a channel: '{b}c' should be one parameter, such as {room}, filling its segment",
        ),
        ({**NO_MARKUP, "channels": []}, ("channels",), "this list is empty; name a channel"),
        (
            {**NO_MARKUP, "channels": 1},
            ("channels",),
            '1 should be a channel, such as "/chat/room" or "/chat/**"',
        ),
        (
            {**NO_MARKUP, "channels": "chat"},
            ("channels",),
            "'chat' is not a channel: a name is made of segments such as /a/b",
        ),
        (
            {**NO_MARKUP, "channels": ["/a", "/a*"]},
            ("channels", 1),
            "'/a*' is not a channel: a wildcard is the whole last segment: /a/* or /a/**",
        ),
        (
            {**NO_MARKUP, "channels": "/a/*/b"},
            ("channels",),
            "'/a/*/b' is not a channel: a name is made of segments such as /a/b; "
            'for "*" within, write {any} in a rule of mirant.toml',
        ),
        (
            {**NO_MARKUP, "channels": "/meta/connect"},
            ("channels",),
            "/meta/connect is a channel of the protocol, whose messages have no data",
        ),
        ({"channels": "/a"}, (), 'this has no "filter"; name one, such as "NoMarkupFilter"'),
        ({"channels": "/a", "filter": 3}, (), 'this has no "filter"; name one, such as "NoMarkupFilter"'),
        (
            {"channels": "/a", "filter": "com.example.Tidy"},
            ("filter",),
            f"there is no filter com.example.Tidy; {OWN}",
        ),
        (
            {"channels": "/a", "filter": "com.example.NoMarkupFilter"},
            ("filter",),
            f"there is no filter com.example.NoMarkupFilter; {OWN}",
        ),
        (
            {"channels": "/a", "filter": "com.example.JSONDataFilter"},
            ("filter",),
            f"there is no filter com.example.JSONDataFilter; {OWN}",
        ),
        (
            {"channels": "/a", "filter": "org.cometd.server.filter.Xyzzy"},
            ("filter",),
            f"there is no filter org.cometd.server.filter.Xyzzy; {OWN}",
        ),
        (
            {"channels": "/a", "class": "NoMarkupFilters"},
            ("class",),
            f"there is no filter NoMarkupFilters; did you mean NoMarkupFilter? A{OWN[1:]}",
        ),
        (
            {"channels": "/a", "filter": "org.cometd.server.filter.JSONDataFilter"},
            ("filter",),
            "org.cometd.server.filter.JSONDataFilter does nothing by itself; leave the entry out",
        ),
        (
            {"channels": "/a", "filter": "copy:nothing"},
            ("filter",),
            "copy:nothing is not there: module 'copy' has no attribute 'nothing'",
        ),
        (
            {"channels": "/a", "filter": "copy:copy", "init": [1]},
            ("init",),
            'copy:copy is called with the data alone; put the content of "init" into its module',
        ),
        (
            {"channels": "/a", "filter": "RegexFilter"},
            ("init",),
            'None should be a list of rules, such as [["teh ", "the "]]',
        ),
    ],
)
def test_entries_that_cannot_be_honoured(
    tmp_path: Path, entry: object, path: tuple[str | int, ...], sentence: str
) -> None:
    assert faults_of(tmp_path, [NO_MARKUP, entry]) == [((1, *path), sentence)]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    declared = [
        {"channels": ["a", "b"], "filter": "Nope"},
        NO_MARKUP,
        {"channels": "/a", "filter": "RegexFilter", "init": [["(", "x"], ["a", "b"], ["a", "$1"]]},
    ]
    assignments, faults = load_filters(write(tmp_path, declared))

    assert [fault.path for fault in faults] == [
        (0, "channels", 0),
        (0, "channels", 1),
        (0, "filter"),
        (2, "init", 0, 0),
        (2, "init", 2, 1),
    ]
    assert [scope.name for scope, _ in assignments] == ["/a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", 'should be a list of objects such as {"channels": "/chat/**", "filter": "NoMarkupFilter"}'),
        ('[\n/* two\nlines */ {"a": x}]', "is not JSON: Expecting value in column 16"),
        ('["[fF]\\.ck"]', "is not JSON: Invalid \\escape in column 7"),
        ("", "is not JSON: "),
        ("[" * 100_000, "is not JSON: "),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, said: str) -> None:
    [(path, sentence)] = faults_of(tmp_path, text)

    assert path == ()
    assert said in sentence


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "filters.json"

    [fault] = load_filters(path)[1]
    assert fault.sentence == "it cannot be read: No such file or directory"
    path.write_bytes(b"[\xff]")
    [fault] = load_filters(path)[1]
    assert "is not JSON: 'utf-8' codec" in fault.sentence


@pytest.mark.parametrize("text", ["[] " + "/* " * 100_000, '["' + '\\"' * 100_000, "[" + ", " * 100_000])
def test_what_is_begun_and_not_ended_takes_no_long_time(tmp_path: Path, text: str) -> None:
    [(_, sentence)] = faults_of(tmp_path, text)  # it took minutes

    assert "is not JSON: " in sentence


@pytest.mark.parametrize("text", ["[] /*", "[] /*/", "[] /* x", "/* [] "])
def test_a_comment_that_does_not_end_is_none(tmp_path: Path, text: str) -> None:
    [(_, sentence)] = faults_of(tmp_path, text)

    assert "is not JSON: " in sentence


def test_each_fault_has_its_line(tmp_path: Path) -> None:
    text = """[
      {"channels": ["/a",
                    "b"],
       // a comment
       "filter": "Nope"},
      7
    ]"""
    faults = load_filters(write(tmp_path, text))[1]
    assert [(fault.path, fault.line) for fault in faults] == [
        ((0, "channels", 1), 3),
        ((0, "filter"), 5),
        ((1,), 6),
    ]
