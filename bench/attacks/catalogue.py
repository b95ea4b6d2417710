"""All attacks, by name. A file with attacks of one kind has a tuple of them, which is added here."""

from __future__ import annotations

from typing import Final

from bench.attacks.attack import Attack
from bench.attacks.floods import FLOODS
from bench.attacks.memory import MEMORY
from bench.attacks.sessions import SESSIONS

ATTACKS: Final[dict[str, Attack]] = {attack.name: attack for attack in (*FLOODS, *MEMORY, *SESSIONS)}
