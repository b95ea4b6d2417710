"""The application's own filters: found when the file is read, and harmless whatever they do."""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mirant.bus.extension import Veto
from mirant.policy.filters.contract import Dropped
from mirant.policy.filters.custom import Custom
from mirant.policy.filters.failures import Failures
from tests.policy.filters.declaring import chain, fault_of, reason, run


@pytest.fixture
def app() -> Iterator[ModuleType]:
    """Give a module ``app_of_test`` that filters can be put into."""
    module = ModuleType("app_of_test")
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


@dataclass
class Point:
    """What an application may return."""

    x: int


def veto(data: Any) -> Any:
    """Refuse."""
    raise Veto("not_today")


def strip(data: Any) -> Any:
    """Change what it was given and return it."""
    data["text"] = data["text"].strip()
    return data


def spread(data: Any) -> Any:
    """Replace parts by others with the same JSON."""
    data["list"] = tuple(data["list"])
    return data


@pytest.mark.parametrize("declared", ["app_of_test:own", {"custom": "app_of_test:own"}], ids=str)
def test_it_is_called_with_the_data(app: ModuleType, declared: object) -> None:
    app.own = lambda data: [data, type(data).__name__]  # type: ignore[attr-defined]  # a module made for the test

    assert run(chain(declared), {"a": 1}) == [{"a": 1}, "dict"]
    [each] = chain(declared).filters
    assert each.name == "custom app_of_test:own"


@pytest.mark.parametrize(
    ("own", "raw", "left"),
    [
        (strip, b'{"text": " hi ", "n": 1.10}', b'{"text":"hi","n":1.10}'),
        (lambda data: {**data, "more": 1}, b'{"n": 1e400}', b'{"n":1e400,"more":1}'),
        (lambda data: Point(2), b"1", b'{"x":2}'),
        (lambda data: {1: "a"}, b"1", b'{"1":"a"}'),
        (lambda data: float("nan"), b"1", b"null"),
    ],
)
def test_what_it_returns_is_sent(app: ModuleType, own: Callable[[Any], Any], raw: bytes, left: bytes) -> None:
    app.own = own  # type: ignore[attr-defined]  # a module made for the test

    assert chain("app_of_test:own")(raw) == left


@pytest.mark.parametrize(
    ("own", "raw"),
    [
        (strip, b'{"text": "hi", "n": 1.10}'),
        (spread, b'{"list": [1, 1e400]}'),
        (lambda data: data, b"[ 1.10 ]"),
        (lambda data: None, b" null"),
    ],
)
def test_what_it_does_not_change_is_the_same_object(
    app: ModuleType, own: Callable[[Any], Any], raw: bytes
) -> None:
    app.own = own  # type: ignore[attr-defined]  # a module made for the test

    assert chain("app_of_test:own")(raw) is raw


def test_filters_behind_it_see_plain_values(app: ModuleType) -> None:
    app.own = lambda data: ("<b>", {"<i>": ("<u>",)})  # type: ignore[attr-defined]  # a module made for the test

    assert run(chain("app_of_test:own", "no-markup"), 1) == ["&lt;b&gt;", {"&lt;i&gt;": ["&lt;u&gt;"]}]
    app.own = spread  # type: ignore[attr-defined]  # a module made for the test
    assert run(chain("app_of_test:own", "no-markup"), {"list": ["<b>"]}) == {"list": ["&lt;b&gt;"]}


def test_filters_behind_it_see_no_half_done_work(app: ModuleType) -> None:
    def keep(data: Any) -> Any:
        before = data["text"]
        data["text"] = "changed"
        return {"text": before}

    app.own = keep  # type: ignore[attr-defined]  # a module made for the test

    assert run(chain("app_of_test:own", {"regex": [["b", "y"]]}), {"text": "b"}) == {"text": "y"}


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (veto, "not_today"),
        (lambda data: None, "filter_refused"),
        (lambda data: {1: "a", "1": "b"}, "duplicate_key"),
    ],
)
def test_it_may_refuse(app: ModuleType, own: Callable[[Any], Any], said: str) -> None:
    app.own = own  # type: ignore[attr-defined]  # a module made for the test

    assert reason(chain("app_of_test:own"), 1) == said


@pytest.mark.parametrize(
    ("own", "logged"),
    [
        (lambda data: data["missing"], "KeyError"),
        (lambda data: object(), "TypeError"),
        (lambda data: "\ud800", "UnicodeEncodeError"),
        (lambda: None, "TypeError"),
    ],
)
def test_what_else_it_raises_is_logged(
    app: ModuleType, caplog: pytest.LogCaptureFixture, own: Callable[[Any], Any], logged: str
) -> None:
    app.own = own  # type: ignore[attr-defined]  # a module made for the test

    with caplog.at_level(logging.ERROR, "mirant"):
        assert reason(chain("app_of_test:own"), {"a": 1}) == "filter_failed"
    assert f"filter.failed filter=custom app_of_test:own error={logged}\n" in caplog.text
    assert ", line " in caplog.text


def test_what_a_message_said_is_not_logged_with_what_the_filter_raised(
    app: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(data: Any) -> Any:
        try:
            return int(data["pin"])
        except ValueError as error:
            raise RuntimeError(f"no number: {data}") from error

    app.own = parse  # type: ignore[attr-defined]  # a module made for the test

    assert reason(chain("app_of_test:own"), {"pin": "s3cret"}) == "filter_failed"
    assert "error=RuntimeError" in caplog.text
    assert "in parse" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_filter_that_always_fails_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = [1_000.0]

    def fail(data: Any) -> Any:
        raise ValueError

    own = Custom("own", fail, Failures(lambda: now[0]))
    for _ in range(3_000):
        with pytest.raises(Dropped, match="filter_failed"):
            own(1)
    assert len(caplog.records) == 10
    now[0] += 5.0
    for _ in range(10):
        with pytest.raises(Dropped, match="filter_failed"):
            own(1)
    assert len(caplog.records) == 11
    assert "filter.failed filter=own error=ValueError suppressed=2990\n" in caplog.text


def test_what_it_nests_too_deep_is_dropped(app: ModuleType) -> None:
    def nest(data: Any) -> Any:
        for _ in range(100_000):
            data = [data]
        return data

    app.own = nest  # type: ignore[attr-defined]  # a module made for the test

    assert reason(chain("app_of_test:own"), 1) == "filter_failed"


async def waits(data: Any) -> Any:
    """Be what a filter cannot be."""


def test_functions_that_cannot_be_used(
    app: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.own = 3  # type: ignore[attr-defined]  # a module made for the test
    app.waits = waits  # type: ignore[attr-defined]  # a module made for the test
    (tmp_path / "broken_of_test.py").write_text("import missing_of_test")
    (tmp_path / "odd_of_test.py").write_text("1 / 0")
    (tmp_path / "unwritten_of_test.py").write_text("def (")
    monkeypatch.syspath_prepend(str(tmp_path))

    for name, said in [
        ("nowhere_of_test:own", "nowhere_of_test cannot be imported: ModuleNotFoundError: "),
        (
            "broken_of_test:own",
            "broken_of_test cannot be imported: ModuleNotFoundError: No module named 'missing_of_test'",
        ),
        ("odd_of_test:own", "odd_of_test cannot be imported: ZeroDivisionError: division by zero"),
        ("unwritten_of_test:own", "unwritten_of_test cannot be imported: SyntaxError: "),
        (
            "app_of_test:other",
            "app_of_test:other is not there: module 'app_of_test' has no attribute 'other'",
        ),
        ("app_of_test:own", "app_of_test:own is not a function but of type int"),
        (
            "app_of_test:waits",
            "app_of_test:waits is a coroutine function, and filters do not wait: use @bus.on_publish",
        ),
        (":own", "':own' should name a function, with its module"),
        ("app_of_test:", "'app_of_test:' should name a function, with its module"),
    ]:
        for declared, place in ((name, ()), ({"custom": name}, ("custom",))):
            path, sentence = fault_of(declared)
            assert path == place
            assert sentence.startswith(said)


@pytest.mark.parametrize("value", [1, None, "tidy", ["app:tidy"]])
def test_names_that_are_none(value: object) -> None:
    path, sentence = fault_of({"custom": value})

    assert path == ("custom",)
    assert sentence == f'{value!r} should name a function, with its module: "app.filters:tidy"'


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Odd(BaseException): pass\nraise Odd('x')", "Odd: x"),
    ],
)
def test_a_module_that_ends_the_program_when_it_is_imported_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
) -> None:
    (tmp_path / "exiter_of_test.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))

    assert fault_of("exiter_of_test:own") == ((), f"exiter_of_test cannot be imported: {said}")
