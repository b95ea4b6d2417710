"""Rule sets for tests, and identities as one word: ``-``, ``alice+member``, ``alice{org=acme}``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from mirant.bus.identity import Identity
from mirant.policy.rulebook import Rulebook
from mirant.policy.rules import read_rules

_IDENTITY = re.compile(r"([^+{]+)((?:\+[^+{]+)*)(?:\{(.*)\})?")


def rulebook(text: str) -> Rulebook:
    """Return the rules of a file with this *text*, which has nothing wrong with it."""
    rules, faults = read_rules(tomllib.loads(text)["channel"], Path(), lambda path: int(path[1]) + 1)
    assert not faults, [str(fault) for fault in faults]
    return Rulebook(rules)


def identity(word: str) -> Identity | None:
    """Return the identity that *word* spells; ``-`` is nobody."""
    if word == "-":
        return None
    found = _IDENTITY.fullmatch(word)
    assert found is not None, word
    claims = dict(pair.split("=") for pair in found[3].split(",")) if found[3] else {}
    return Identity(found[1], frozenset(found[2].split("+")[1:]), claims)
