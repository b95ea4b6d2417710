"""The rules of a file: each ``[[channel]]`` says who may do what on some channels, and how much of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from mirant.bayeux.channels import HANDSHAKE, ChannelInvalid, Kind
from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.spelling import nearest
from mirant.options.values import SettingsError
from mirant.policy.filters import Filter, read_filters
from mirant.policy.limits import CALL_LIMITS, LIMITS, RuleLimits
from mirant.policy.scope import ChannelScope
from mirant.policy.who import SELF_PARAMETER, Permission, WhoKind, read_permission


class Operation(Enum):
    """What a session may want to do with a channel; the value is the key in the file."""

    CREATE = "create"  # be the first to subscribe or publish
    SUBSCRIBE = "subscribe"
    PUBLISH = "publish"
    CALL = "call"  # send to a service channel, or to /meta/handshake


OPERATIONS: Final = {operation.value: operation for operation in Operation}
_KEYS: Final = ("match", *OPERATIONS, "filters", *LIMITS)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Rule:
    """One ``[[channel]]`` of the file. A less specific rule decides what this one leaves out."""

    scopes: tuple[ChannelScope, ...]
    permissions: Mapping[Operation, Permission] = field(default_factory=dict)
    filters: tuple[Filter, ...] | None = None
    limits: RuleLimits = field(default_factory=RuleLimits)
    #: Which of the file's rules it is, from 0, and the lines of its keys, from 1.
    index: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, key: str = "match") -> int:
        """Return the line of the file where it says *key*; 0 if it is not from a file."""
        return self.lines.get(key, 0)

    def says(self, key: str) -> bool:
        """Whether the rule decides *key*, a key of the file."""
        if key == "filters":
            return self.filters is not None
        return OPERATIONS.get(key) in self.permissions or getattr(self.limits, key, None) is not None


def read_rules(
    tables: object, base: Path, line_of: Callable[[KeyPath], int]
) -> tuple[list[Rule], list[Fault]]:
    """Return the rules in the ``[[channel]]`` *tables* of a file in the folder *base*, and their faults.

    *line_of* tells the line of a path of keys.
    """
    faults: list[Fault] = []
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        return [], [Fault(("channel",), "rules are written as [[channel]] tables, with two brackets")]
    rules = []
    for index, table in enumerate(tables):
        path: KeyPath = ("channel", index)
        _check_keys(table, path, faults)
        scopes = _read_scopes(table, path, faults)
        permissions = {
            operation: read_permission(table[key], (*path, key), faults)
            for key, operation in OPERATIONS.items()
            if key in table
        }
        filters = None
        if "filters" in table:
            filters, wrong = read_filters(table["filters"], (*path, "filters"), base)
            faults += wrong
        rule = Rule(
            scopes=scopes,
            permissions=permissions,
            filters=filters,
            limits=_read_limits(table, path, faults),
            index=index,
            lines={key: line_of((*path, key)) for key in table},
        )
        _check_sense(rule, table, path, faults)
        rules.append(rule)
    return rules, faults


def _check_keys(table: Mapping[str, object], path: KeyPath, faults: list[Fault]) -> None:
    for key in table:
        if key not in _KEYS:
            near = nearest(key, _KEYS)
            hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(_KEYS)}"
            faults.append(Fault((*path, key), f"{spell(key)} is unknown in a [[channel]]; {hint}"))


def _read_scopes(table: Mapping[str, object], path: KeyPath, faults: list[Fault]) -> tuple[ChannelScope, ...]:
    if "match" not in table:
        faults.append(Fault(path, 'say which channels it is for: match = "/chat/**"'))
        return ()
    path = (*path, "match")
    value = table["match"]
    if isinstance(value, str):
        return tuple(_read_scope(value, path, faults))
    if not isinstance(value, list) or not value:
        faults.append(
            Fault(path, f"{spell(value)} should be a channel pattern such as /chat/**, or a list of them")
        )
        return ()
    return tuple(
        scope for index, text in enumerate(value) for scope in _read_scope(text, (*path, index), faults)
    )


def _read_scope(text: object, path: KeyPath, faults: list[Fault]) -> Iterable[ChannelScope]:
    if not isinstance(text, str):
        faults.append(Fault(path, f"{spell(text)} should be a channel pattern such as /chat/**"))
        return []
    try:
        return [ChannelScope.parse(text)]
    except ChannelInvalid as error:
        faults.append(Fault(path, str(error)))
        return []


def _read_limits(table: Mapping[str, object], path: KeyPath, faults: list[Fault]) -> RuleLimits:
    limits: dict[str, Any] = {}
    for key, read in LIMITS.items():
        if key in table:
            try:
                limits[key] = read(table[key])
            except SettingsError as error:
                faults.append(Fault((*path, key), f"{spell(table[key])} should be {error}"))
    return RuleLimits(**limits)


def _check_sense(rule: Rule, table: Mapping[str, object], path: KeyPath, faults: list[Fault]) -> None:
    """Find keys that would have no effect, or another effect than they seem to have."""
    for scope in rule.scopes:
        for key in table:
            sentence = _check_use(key, scope)
            if sentence:
                faults.append(Fault((*path, key), sentence))
        for operation, permission in rule.permissions.items():
            people = (*permission.allow, *permission.deny)
            if any(who.kind is WhoKind.SELF for who in people) and SELF_PARAMETER not in scope.parameters:
                hint = f"match should have {{{SELF_PARAMETER}}} in it, such as /users/{{{SELF_PARAMETER}}}/**"
                faults.append(Fault((*path, operation.value), f"'self' needs a name to compare with: {hint}"))


def _check_use(key: str, scope: ChannelScope) -> str | None:
    """Return what is wrong with a *key* for the channels of *scope*, if anything is."""
    may_be_service = scope.kind is Kind.SERVICE or not scope.segments or scope.segments[0] is None
    if scope.kind is Kind.META:
        if scope.name != HANDSHAKE.name:
            return f"of the meta channels only {HANDSHAKE.name} can have a rule, not {scope.name}"
        return None if key in ("match", "call") else f"{HANDSHAKE.name} is called: write call = …"
    if key == "call" and not may_be_service:
        return f"{scope.name} is not a service channel: write publish or subscribe"
    if scope.kind is Kind.SERVICE and key in {"create", "subscribe", "publish", *LIMITS} - CALL_LIMITS:
        what = "'call' says who may use them" if key in OPERATIONS else "this key is about distribution"
        return f"{scope.name}: nothing is distributed on service channels; {what}"
    return None
