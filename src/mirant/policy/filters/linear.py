"""Regular expressions that take linear time whatever the text: RE2, with types and readable errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import re2  # type: ignore[import-untyped]  # google-re2 has no stubs

# Largest compiled pattern, in RE2's instructions: about a thousand words. Matching takes time in proportion
# to the text and, for unusual patterns, also to this.
MAX_PROGRAM: Final = 5_000

#: A replacement: text, and numbers of groups.
Replacement = tuple[str | int, ...]

# How RE2's messages begin, each with an explanation for someone who wrote the pattern for another library.
_BACKTRACKING: Final = "which can take forever; patterns here take linear time and have no such thing"
_EXPLANATIONS: Final = (
    ("invalid perl operator: (?=", f"(?= is a look-ahead, {_BACKTRACKING}"),
    ("invalid perl operator: (?!", f"(?! is a look-ahead, {_BACKTRACKING}"),
    ("invalid perl operator: (?<", f"(?<= and (?<! are look-behinds, {_BACKTRACKING}"),
    (
        "invalid perl operator: (?>",
        "(?> only serves to backtrack less, and nothing here backtracks: write (?:",
    ),
    ("bad repetition operator: ++", "++ only serves to backtrack less, and nothing here backtracks: write +"),
    ("bad repetition operator: *+", "*+ only serves to backtrack less, and nothing here backtracks: write *"),
    ("bad repetition operator: ?+", "?+ only serves to backtrack less, and nothing here backtracks: write ?"),
    ("invalid escape sequence: \\k", f"\\k is a back-reference, {_BACKTRACKING}"),
    ("invalid escape sequence: \\Z", "\\Z is written \\z here: the end of the text"),
    ("invalid escape sequence: \\u", "\\u0041 is written \\x{0041} here"),
    ("invalid escape sequence: \\h", "\\h is written [ \\t] here"),
    ("invalid escape sequence: \\R", "\\R is written (?:\\r\\n|[\\n\\r]) here"),
    ("invalid repetition size", "a part can be repeated at most 1,000 times"),
    ("pattern too large", "it is too large; split it or repeat less"),
    *(
        (f"invalid escape sequence: \\{n}", f"\\{n} is a back-reference, {_BACKTRACKING}")
        for n in range(1, 10)
    ),
)


class PatternInvalid(ValueError):
    """A text is not a pattern, or cannot be matched in linear time. The message says why."""


class LinearPattern:
    """A compiled pattern, in the syntax of RE2."""

    __slots__ = ("_compiled", "_whole", "groups", "names", "text")

    def __init__(self, text: str, *, whole: bool = False) -> None:
        """Compile *text*; with *whole*, for texts that match from the first to the last character.

        Raises:
            PatternInvalid: it cannot be compiled, or only to more than `MAX_PROGRAM` instructions.
        """
        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(text, options)  # alone first, because in parentheses even ")(" would compile
            self._compiled = re2.compile(rf"\A(?:{text})\z" if whole else text, options)
        except re2.error as error:
            raise PatternInvalid(_explain(error)) from None
        if self._compiled.programsize > MAX_PROGRAM:
            size = self._compiled.programsize
            raise PatternInvalid(f"it is too large ({size:,} of {MAX_PROGRAM:,} instructions); repeat less")
        self.text = text
        self._whole = whole
        self.groups: int = self._compiled.groups
        self.names: dict[str, int] = self._compiled.groupindex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LinearPattern) and (self.text, self._whole) == (other.text, other._whole)

    def __hash__(self) -> int:
        return hash((self.text, self._whole))

    def occurs_in(self, text: str) -> bool:
        """Whether the pattern matches some part of *text*, or all of it if it has to."""
        # As bytes, because RE2 then does not count characters. This takes a third of the time.
        return self._compiled.search(text.encode()) is not None

    def replace(self, text: str, template: Replacement, spend: Callable[[], None]) -> str:
        """Return *text* with *template* in place of all matches; *spend* is called for each of them."""
        return "".join(self._pieces(text, template, spend)) if self.occurs_in(text) else text

    def _pieces(self, text: str, template: Replacement, spend: Callable[[], None]) -> Iterator[str]:
        end = 0
        for match in self._compiled.finditer(text):
            spend()
            yield text[end : match.start()]
            for part in template:
                yield part if isinstance(part, str) else match.group(part) or ""
            end = match.end()
        yield text[end:]


def _explain(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    for beginning, explanation in _EXPLANATIONS:
        if text.startswith(beginning):
            return explanation
    return text
