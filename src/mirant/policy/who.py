"""The people that a rule allows or denies something: ``anyone``, ``role:member``, ``self`` and so on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mirant.bus.identity import Identity
from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.spelling import nearest

#: The parameter of a rule's ``match`` that ``self`` compares with the identity's name.
SELF_PARAMETER: Final = "user"


class WhoKind(Enum):
    """The kinds of people; the value is how each is written."""

    ANYONE = "anyone"  # every session, anonymous ones too
    AUTHENTICATED = "authenticated"  # every session that has an identity
    SERVER = "server"  # no session: only the application
    SELF = "self"  # the identity whose name is the {user} of the channel
    USER = "user:"
    ROLE = "role:"
    CLAIM = "claim:"


_WORDS: Final = {kind.value: kind for kind in WhoKind if not kind.value.endswith(":")}
_PREFIXES: Final = {kind.value: kind for kind in WhoKind if kind.value.endswith(":")}
_EXAMPLES: Final = "anyone, authenticated, server, self, user:NAME, role:NAME, claim:NAME=VALUE"


@dataclass(frozen=True, slots=True)
class Who:
    """Some people. `value` is the name of the user or of the role, or the value of the claim."""

    kind: WhoKind
    value: str = ""
    claim: str = ""

    def includes(self, identity: Identity | None, parameters: Mapping[str, str]) -> bool | None:
        """Whether they include *identity*; None if that depends on a parameter that is left open."""
        if self.kind is WhoKind.ANYONE:
            return True
        if identity is None or self.kind is WhoKind.SERVER:
            return False
        if self.kind is WhoKind.AUTHENTICATED:
            return True
        if self.kind is WhoKind.USER:
            return identity.name == self.value
        if self.kind is WhoKind.ROLE:
            return self.value in identity.roles
        if self.kind is WhoKind.CLAIM:
            return _claims(identity.claims.get(self.claim), self.value)
        return identity.name == parameters[SELF_PARAMETER] if SELF_PARAMETER in parameters else None

    def __str__(self) -> str:
        return f"claim:{self.claim}={self.value}" if self.claim else self.kind.value + self.value


def _claims(claimed: object, value: str) -> bool:
    """Whether a claim is *value*, or a list with it. Numbers and booleans are compared as text."""
    if isinstance(claimed, list | tuple):
        return any(_claims(one, value) for one in claimed if not isinstance(one, list | tuple))
    if isinstance(claimed, bool):
        return value == str(claimed).lower()
    return isinstance(claimed, str | int | float) and str(claimed) == value


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do something: everyone in `allow` who is not in `deny`."""

    allow: tuple[Who, ...] = ()
    deny: tuple[Who, ...] = ()

    @property
    def depends_on_parameters(self) -> bool:
        """Whether the parameters of a channel matter."""
        return any(who.kind is WhoKind.SELF for who in (*self.allow, *self.deny))

    def admits(self, identity: Identity | None, parameters: Mapping[str, str]) -> bool:
        """Whether *identity* may, on all channels that *parameters* leave open."""
        # Plain loops, because each publish comes here, and a wildcard for each of the rules that it meets.
        for who in self.deny:
            if who.includes(identity, parameters) is not False:
                return False
        for who in self.allow:  # noqa: SIM110 - `any` makes a generator, which takes as long as the rest
            if who.includes(identity, parameters) is True:
                return True
        return False

    def __str__(self) -> str:
        allowed = ", ".join(map(str, self.allow)) or "nobody"
        return f"{allowed} but not {', '.join(map(str, self.deny))}" if self.deny else allowed


def read_permission(value: object, path: KeyPath, faults: list[Fault]) -> Permission:
    """Return the permission that *value* of a file spells; what is wrong with it is added to *faults*."""
    if not isinstance(value, Mapping):
        return Permission(allow=_read_people(value, path, faults))
    for key in value.keys() - {"allow", "deny"}:
        faults.append(Fault((*path, key), f"{spell(key)} is unknown here; there are: allow, deny"))
    if "allow" not in value:
        faults.append(Fault(path, 'say whom it allows: { allow = "anyone", deny = "role:guest" }'))
    allow = _read_people(value.get("allow", ()), (*path, "allow"), faults)
    deny = _read_people(value.get("deny", ()), (*path, "deny"), faults)
    if any(who.kind is WhoKind.SERVER for who in deny):
        sentence = "the server cannot be denied; to deny everybody, write allow = []"
        faults.append(Fault((*path, "deny"), sentence))
    return Permission(allow, deny)


def _read_people(value: object, path: KeyPath, faults: list[Fault]) -> tuple[Who, ...]:
    if isinstance(value, str):
        return tuple(_read_who(value, path, faults))
    if isinstance(value, list | tuple):
        return tuple(who for index, one in enumerate(value) for who in _read_who(one, (*path, index), faults))
    faults.append(Fault(path, f"{spell(value)} should be one of, or a list of: {_EXAMPLES}"))
    return ()


def _read_who(text: object, path: KeyPath, faults: list[Fault]) -> Iterable[Who]:
    if isinstance(text, str):
        if text in _WORDS:
            return [Who(_WORDS[text])]
        prefix, colon, value = text.partition(":")
        kind = _PREFIXES.get(prefix + colon)
        if kind is WhoKind.CLAIM:
            claim, equals, value = value.partition("=")
            if claim and equals:
                return [Who(kind, value, claim)]
        elif kind is not None and value:
            return [Who(kind, value)]
    faults.append(Fault(path, f"{spell(text)} names nobody; {_nearest(text)}"))
    return []


def _nearest(text: object) -> str:
    if isinstance(text, str):
        prefix, colon, rest = text.partition(":")
        near = nearest(prefix + colon, [*_WORDS, *_PREFIXES])
        if near:
            return f"did you mean {near + rest!r}?" if near + rest != text else f"there are: {_EXAMPLES}"
    return f"there are: {_EXAMPLES}"
