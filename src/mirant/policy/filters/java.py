"""Java's regular expressions, as far as RE2 has the same: for rules written for Jetty's RegexFilter."""

from __future__ import annotations

import re
from typing import Final

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.policy.filters.contract import FilterInvalid
from mirant.policy.filters.linear import LinearPattern, Replacement
from mirant.policy.filters.regex import RegexRule, check_text, compile_pattern, group_of

# One part of a pattern per match: quoted text, an escape, an operator in a class, a bracket, anything else.
_PART: Final = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|&&|[\[\]]|[^\\&\[\]]+|.", re.DOTALL)
_REFERENCE: Final = re.compile(r"\\(.?)|\$(?:([0-9]+)|\{(\w+)\}|)", re.DOTALL)


def read_rule(text: str, replacement: str | None, where: KeyPath) -> RegexRule:
    """Return the rule that replaces what the pattern *text* matches.

    Without *replacement* the rule refuses a text that the pattern matches from its first to its last
    character, as RegexFilter did: it asked for ``matches()``.

    Raises:
        FilterInvalid: RE2 has no such pattern or reads it differently. The fault says what to write.
    """
    _check_classes(text, (*where, 0))
    pattern = compile_pattern(text, (*where, 0), whole=replacement is None)
    if replacement is None:
        return RegexRule(pattern, None)
    return RegexRule(pattern, _read_template(replacement, pattern, (*where, 1)))


def _check_classes(text: str, where: KeyPath) -> None:
    """Refuse classes within classes, because RE2 silently reads their brackets and ``&&`` as characters."""
    inside = False
    for part in _PART.findall(text):
        if inside and part in ("[", "&&"):
            sentence = (
                f"the pattern {spell(text)} has {part} within [...]: classes cannot be nested or "
                r"intersected; write the characters themselves, and \[ or \& for these"
            )
            raise FilterInvalid(Fault(where, sentence))
        if part in ("[", "]"):
            inside = part == "["


def _read_template(text: str, pattern: LinearPattern, where: KeyPath) -> Replacement:
    r"""Return the replacement *text*, in which ``$1`` and ``${name}`` are groups and ``\`` quotes."""
    check_text(text, where)
    template: list[str | int] = []
    end = 0
    for found in _REFERENCE.finditer(text):
        template.append(text[end : found.start()])
        template += _read_reference(found, text, pattern, where)
        end = found.end()
    template.append(text[end:])
    return tuple(part for part in template if part != "")


def _read_reference(
    found: re.Match[str], text: str, pattern: LinearPattern, where: KeyPath
) -> tuple[str | int, ...]:
    quoted, digits, name = found.groups()
    if quoted:
        return (quoted,)
    if digits:
        # Java takes as many digits as there are groups for: with two groups, $12 is the first one and a 2.
        length = len(digits)
        while length > 1 and int(digits[:length]) > pattern.groups:
            length -= 1
        return group_of(digits[:length], pattern, where), digits[length:]
    if name and not name.isdecimal():
        return (group_of(name, pattern, where),)
    sentence = (
        f"the replacement {spell(text)} has a single {found[0]}; "
        + r"write \$ or \\ for the character itself"
    )
    raise FilterInvalid(Fault(where, sentence))
