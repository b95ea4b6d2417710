"""``regex``: replacing what patterns match, or refusing a message that has a match."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.policy.filters.contract import Dropped, FilterInvalid
from mirant.policy.filters.linear import LinearPattern, PatternInvalid, Replacement
from mirant.policy.filters.strings import rewrite, unchanged

# Limits for one message. Searching a text takes one or two microseconds per rule, even if the text is short.
# A replacement takes longer, may lengthen the text, and may have searched the text to its end.
MAX_STRINGS: Final = 4_000  # strings and keys
MAX_SEARCHES: Final = 15_000  # of all rules in all strings and keys
MAX_REPLACEMENTS: Final = 1_000
MAX_TEXT: Final = 64 * 1024  # characters of all strings, and those that replacements add


@dataclass(frozen=True, slots=True)
class RegexRule:
    """A pattern and the replacement of its matches. None: a message with a match is dropped."""

    pattern: LinearPattern
    template: Replacement | None


@dataclass(frozen=True, slots=True)
class Regex:
    """Applies rules, in their order, to every string, and to every key if `keys` says so."""

    name: str
    rules: tuple[RegexRule, ...]
    keys: bool = True

    @classmethod
    def of(cls, rules: Iterable[RegexRule], *, keys: bool = True) -> Regex:
        """Return the filter that applies *rules*."""
        rules = tuple(rules)
        return cls(" ".join(("regex", *(rule.pattern.text for rule in rules))), rules, keys)

    def __call__(self, data: Any) -> Any:
        change = _Replacing(self.rules).change
        return rewrite(data, change, change if self.keys else unchanged)


class _Replacing:
    """The replacing in one message, and how much more of it may be done."""

    __slots__ = ("_left", "_rules", "_size", "_strings")

    def __init__(self, rules: tuple[RegexRule, ...]) -> None:
        self._rules = rules
        self._strings = min(MAX_STRINGS, MAX_SEARCHES // max(1, len(rules)))
        self._left = MAX_REPLACEMENTS
        self._size = MAX_TEXT

    def change(self, text: str) -> str:
        self._strings -= 1
        if self._strings < 0:
            raise Dropped("too_many_strings")
        self._take(len(text))
        for rule in self._rules:
            if rule.template is None:
                if rule.pattern.occurs_in(text):
                    raise Dropped("forbidden_text")
                continue
            before = len(text)
            text = rule.pattern.replace(text, rule.template, self._spend)
            self._take(max(0, len(text) - before))
        return text

    def _take(self, size: int) -> None:
        self._size -= size
        if self._size < 0:
            raise Dropped("too_large")

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Dropped("too_many_matches")


def read(value: object, where: KeyPath, base: Path) -> Regex:
    """Return the filter of ``{ regex = [["[fF].ck", "dang"], "casino"] }``."""
    if not isinstance(value, list) or not value:
        sentence = f'regex = {spell(value)} should be a list such as [["teh ", "the "], "casino"]'
        raise FilterInvalid(Fault(where, sentence))
    rules: list[RegexRule] = []
    faults: list[Fault] = []
    for index, entry in enumerate(value):
        try:
            rules.append(_read_rule(entry, (*where, index)))
        except FilterInvalid as error:
            faults += error.faults
    if faults:
        raise FilterInvalid(*faults)
    return Regex.of(rules)


def _read_rule(entry: object, where: KeyPath) -> RegexRule:
    match entry:
        case str(text) | [str(text)] | [str(text), None]:
            return RegexRule(compile_pattern(text, where if entry == text else (*where, 0)), None)
        case [str(text), str(replacement)]:
            pattern = compile_pattern(text, (*where, 0))
            return RegexRule(pattern, read_template(replacement, pattern, (*where, 1)))
    sentence = f'{spell(entry)} should be a pattern, or a pattern and its replacement: ["teh ", "the "]'
    raise FilterInvalid(Fault(where, sentence))


def compile_pattern(text: str, where: KeyPath, *, whole: bool = False) -> LinearPattern:
    """Return the pattern *text* that stands at *where*; with *whole*, for texts that match entirely."""
    if not text:
        raise FilterInvalid(Fault(where, "an empty pattern matches every text; write one that does not"))
    check_text(text, where)
    try:
        return LinearPattern(text, whole=whole)
    except PatternInvalid as error:
        raise FilterInvalid(Fault(where, f"the pattern {spell(text)}: {error}")) from None


def check_text(text: str, where: KeyPath) -> None:
    """Refuse half a surrogate pair. JSON can spell one in a pattern, but no text can contain one."""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        what = "the replacement" if where[-1] == 1 else "the pattern"
        sentence = f"{what} {spell(text)} has half a surrogate pair; write the whole character"
        raise FilterInvalid(Fault(where, sentence))


_REFERENCE: Final = re.compile(r"\\(?:([0-9]{1,2})|g<(\w+)>|(\\)|)")


def read_template(text: str, pattern: LinearPattern, where: KeyPath) -> Replacement:
    r"""Return the replacement *text*, in which ``\1`` and ``\g<name>`` stand for groups of *pattern*."""
    check_text(text, where)
    template: list[str | int] = []
    end = 0
    for found in _REFERENCE.finditer(text):
        template.append(text[end : found.start()])
        reference = found[1] or found[2]
        if found[3]:
            template.append("\\")
        elif reference is None:
            what = r"has a single \; write \1 or \g<name> for a group, \\ for itself"
            sentence = f"the replacement {spell(text)} {what}"
            raise FilterInvalid(Fault(where, sentence))
        else:
            template.append(group_of(reference, pattern, where))
        end = found.end()
    template.append(text[end:])
    return tuple(part for part in template if part != "")


def group_of(reference: str, pattern: LinearPattern, where: KeyPath) -> int:
    """Return the number of the group of *pattern* that *reference*, a number or a name, stands for."""
    number = int(reference) if reference.isdecimal() else pattern.names.get(reference, -1)
    if not 0 <= number <= pattern.groups:
        sentence = f"the pattern {spell(pattern.text)} has no group {reference}; it has {pattern.groups}"
        raise FilterInvalid(Fault(where, sentence))
    return number
