"""The process of an attack: ``python -m bench.attacks.attacker NAME HOST PORT PATH CONNECTIONS``.

It is apart from the innocent client, whose figures it would spoil. It says `ATTACKING` when all its
connections are under way, and attacks until it is ended.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Final

from bench.attacks.attack import Aim, Attack
from bench.attacks.catalogue import ATTACKS

#: The line with which the process says that it has begun.
ATTACKING: Final = "attacking"

# How long to wait before a connection that the server ended is opened again, in seconds.
_PAUSE: Final = 0.01


def main() -> None:
    """Attack on as many connections as the arguments say."""
    name, host, port, path, connections = sys.argv[1:]
    aim = Aim(host, int(port), path)
    for _ in range(int(connections)):
        threading.Thread(target=_repeat, args=(ATTACKS[name], aim), daemon=True).start()
    sys.stdout.write(f"{ATTACKING}\n")
    sys.stdout.flush()
    sys.stdin.read()  # until whoever started this process ends it, or is gone


def _repeat(attack: Attack, aim: Aim) -> None:
    while True:
        try:
            attack.run(aim)
        except OSError:
            pass  # the server ended the connection, as it should
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main()
