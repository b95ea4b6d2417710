"""Jetty's ``filters.json``: which filters run on which channels, as CometD 1 and Jetty 6 read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mirant.bayeux.channels import ChannelInvalid, Kind, Pattern
from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.spelling import nearest
from mirant.policy.filters import Filter
from mirant.policy.filters.contract import FilterInvalid
from mirant.policy.filters.custom import Custom
from mirant.policy.filters.custom import read as read_custom
from mirant.policy.filters.html import no_scripts
from mirant.policy.filters.java import read_rule
from mirant.policy.filters.markup import NoMarkup
from mirant.policy.filters.regex import Regex, RegexRule
from mirant.policy.json_positions import survey
from mirant.policy.positions import line_of
from mirant.policy.scope import ChannelScope

#: The filters for the channels of one pattern.
Assignment = tuple[ChannelScope, tuple[Filter, ...]]

#: The keys of an entry. Early versions of Jetty 6 wrote "class" for "filter".
_KEYS: Final = ("channels", "filter", "class", "init")


def load_filters(
    path: Path, *, classes: Mapping[str, str] | None = None
) -> tuple[list[Assignment], list[Fault]]:
    """Return the filters that the file at *path* declares, in its order, and all faults in it.

    The application's own filters are named in the file (``"filter": "app.filters:tidy"``) or stand in for a
    Java class in *classes* (``{"com.example.Tidy": "app.filters:tidy"}``).
    """
    try:
        text = _without_comments(path.read_text("utf-8-sig"))
        entries = json.loads(text)
    except OSError as error:
        return [], [Fault((), f"it cannot be read: {error.strerror}")]
    except json.JSONDecodeError as error:
        return [], [Fault((), f"this is not JSON: {error.msg} in column {error.colno}", line=error.lineno)]
    except (ValueError, RecursionError) as error:
        return [], [Fault((), f"this is not JSON: {error}")]
    if entries is None:
        return [], []
    if not isinstance(entries, list):
        example = '{"channels": "/chat/**", "filter": "NoMarkupFilter"}'
        return [], [Fault((), f"this should be a list of objects such as {example}", line=1)]
    found = survey(text)
    assignments, faults = _read_entries(entries, {} if classes is None else classes)
    faults = [replace(fault, line=line_of(found.lines, fault.path)) for fault in faults]
    twice = "this key is here twice; one of the two would be forgotten"
    faults += [Fault(place, twice, line=line) for place, line in found.repeated]
    return assignments, faults


# Jetty's parser reads a comment as a blank and allows a comma at the end of a list. The first alternative of
# each pattern is a string. An unfinished string or comment matches to the end of the file: otherwise the
# search would begin again at each of its characters, which takes quadratic time.
_TEXT: Final = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
_COMMENT: Final = re.compile(_TEXT + r"|//[^\r\n]*|/\*.*?(?P<end>\*/|\Z)", re.DOTALL)
_LAST_COMMA: Final = re.compile(_TEXT + r"|,(?=\s*[\]}])", re.DOTALL)
_NOT_BREAK: Final = re.compile(r"[^\r\n]")


def _without_comments(text: str) -> str:
    """Return *text* with blanks for comments and for last commas. Lines keep their numbers."""

    def blank(found: re.Match[str]) -> str:
        matched = found[0]
        unfinished = found.groupdict().get("end") == ""  # such a comment stays, for the parser to complain of
        kept = matched.startswith('"') or unfinished
        return matched if kept else _NOT_BREAK.sub(" ", matched)

    return _LAST_COMMA.sub(blank, _COMMENT.sub(blank, text))


def _read_entries(entries: list[Any], classes: Mapping[str, str]) -> tuple[list[Assignment], list[Fault]]:
    assignments: list[Assignment] = []
    faults: list[Fault] = []
    for index, entry in enumerate(entries):
        where = (index,)
        if not isinstance(entry, dict):
            faults.append(Fault(where, f'{spell(entry)} should be an object with "channels" and "filter"'))
            continue
        wrong, meant = _check_keys(entry, where)
        channels, more = _read_channels(entry, where)
        faults += wrong + [fault for fault in more if fault.path != where or "channels" not in meant]
        try:
            chosen = _read_filter(entry, where, classes)
        except FilterInvalid as error:
            faults += [fault for fault in error.faults if fault.path != where or "filter" not in meant]
        else:
            assignments += [(channel, (chosen,)) for channel in channels]
    return assignments, faults


def _check_keys(entry: Mapping[str, Any], where: KeyPath) -> tuple[list[Fault], set[str]]:
    """Return the faults in the names of the keys of *entry*, and the keys that were probably meant."""
    faults: list[Fault] = []
    meant: set[str] = set()
    for key in entry:
        if key in _KEYS:
            continue
        near = nearest(key, _KEYS)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(_KEYS)}"
        faults.append(Fault((*where, key), f"{spell(key)} is not a key here; {hint}"))
        meant.add(near or "")
    return faults, meant


def _read_channels(entry: Mapping[str, Any], where: KeyPath) -> tuple[list[ChannelScope], list[Fault]]:
    if "channels" not in entry:
        return [], [Fault(where, 'this has no "channels", such as "channels": "/chat/**"')]
    value = entry["channels"]
    texts = value if isinstance(value, list) else [value]
    faults: list[Fault] = [] if texts else [Fault((*where, "channels"), "this list is empty; name a channel")]
    scopes: list[ChannelScope] = []
    for index, text in enumerate(texts):
        place = (*where, "channels", index) if isinstance(value, list) else (*where, "channels")
        try:
            scopes.append(_read_channel(text, place))
        except FilterInvalid as error:
            faults += error.faults
    return scopes, faults


def _read_channel(text: object, where: KeyPath) -> ChannelScope:
    if not isinstance(text, str):
        raise FilterInvalid(
            Fault(where, f'{spell(text)} should be a channel, such as "/chat/room" or "/chat/**"')
        )
    try:
        pattern = Pattern.parse(text)
        scope = ChannelScope.parse(pattern.name)  # this knows braces: a parameter fills its segment
    except ChannelInvalid as error:
        hint = '; for "*" within, write {any} in a rule of mirant.toml' if "*" in text[:-2] else ""
        raise FilterInvalid(Fault(where, f"{error}{hint}")) from None
    if pattern.kind is Kind.META:
        raise FilterInvalid(Fault(where, f"{text} is a channel of the protocol, whose messages have no data"))
    return scope


def _read_filter(entry: Mapping[str, Any], where: KeyPath, classes: Mapping[str, str]) -> Filter:
    key = "class" if entry.get("class") is not None else "filter"
    name = entry.get(key)
    if not isinstance(name, str) or not name:
        raise FilterInvalid(Fault(where, 'this has no "filter"; name one, such as "NoMarkupFilter"'))
    init = (*where, "init")
    if name in classes:
        return _read_own(classes[name], entry.get("init"), (*where, key), init)
    if ":" in name:
        return _read_own(name, entry.get("init"), (*where, key), init)
    package, _, simple = name.rpartition(".")
    if simple in _CLASSES and package in _PACKAGES:
        return _CLASSES[simple](entry.get("init"), init)
    raise FilterInvalid(Fault((*where, key), _unknown(name, package, simple)))


def _unknown(name: str, package: str, simple: str) -> str:
    own = 'a class of your own becomes a Python function: write its name, "app.filters:tidy"'
    if simple == "JSONDataFilter" and package in _PACKAGES:
        return f"{name} does nothing by itself; leave the entry out"
    close = nearest(simple, _CLASSES)
    if close and package in _PACKAGES:
        return f"there is no filter {name}; did you mean {close}? {own[0].upper()}{own[1:]}"
    return f"there is no filter {name}; {own}"


def _read_own(name: str, value: object, where: KeyPath, init: KeyPath) -> Custom:
    own = read_custom(name, where, Path())
    if value not in (None, {}, []):
        sentence = f'{name} is called with the data alone; put the content of "init" into its module'
        raise FilterInvalid(Fault(init, sentence))
    return own


def _read_no_markup(value: object, where: KeyPath) -> Filter:
    return NoMarkup()  # Jetty ignored "init" too


def _read_no_scripts(value: object, where: KeyPath) -> Filter:
    return no_scripts()


def _read_regex(value: object, where: KeyPath) -> Filter:
    if not isinstance(value, list):
        raise FilterInvalid(
            Fault(where, f'{spell(value)} should be a list of rules, such as [["teh ", "the "]]')
        )
    rules: list[RegexRule] = []
    faults: list[Fault] = []
    for index, entry in enumerate(value):
        place = (*where, index)
        match entry:
            case [str(text), str() | None as replacement, *_]:  # Jetty read only the first two
                try:
                    rules.append(read_rule(text, replacement, place))
                except FilterInvalid as error:
                    faults += error.faults
            case _:
                sentence = (
                    f"{spell(entry)} should be a pattern and its replacement, or null to drop the message"
                )
                faults.append(Fault(place, sentence))
    if faults:
        raise FilterInvalid(*faults)
    # Jetty did not change keys, and clients rely on the names of their fields.
    return Regex.of(rules, keys=False)


#: Jetty's own filters, and the packages they were in over the years.
_CLASSES: Final[Mapping[str, Callable[[object, KeyPath], Filter]]] = {
    "NoMarkupFilter": _read_no_markup,
    "NoScriptsFilter": _read_no_scripts,
    "RegexFilter": _read_regex,
}
_PACKAGES: Final = frozenset(
    {"", "dojox.cometd.filter", "org.cometd.server.filter", "org.mortbay.cometd.filter"}
)
