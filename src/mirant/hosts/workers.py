"""Several workers of one server: told loudly, because each of them would be a bus of its own.

uvicorn, hypercorn, granian and gunicorn start workers as children of one process. What they are told on the
command line or by variables is looked at first. On Linux the children of the parent are counted too, so that
workers are found that a program or a file of settings asked for.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from math import inf
from pathlib import Path
from typing import Final

# Programs that start workers, and the variables by which they may be told how many.
_VARIABLES: Final = {
    "uvicorn": ("WEB_CONCURRENCY",),
    "gunicorn": ("WEB_CONCURRENCY",),
    "hypercorn": (),
    "granian": ("GRANIAN_WORKERS",),
    "fastapi": ("WEB_CONCURRENCY",),
}

# How a process is marked that Python's multiprocessing has started anew, and what differs in each.
_SPAWNED: Final = b"--multiprocessing-fork"
_HANDLES: Final = re.compile(rb"\w+=\d+")

# How often the processes are looked at, in seconds: a client can ask with each message.
_LOOK_AGAIN: Final = 5.0

log = logging.getLogger("mirant")


def configured_workers(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Return how many workers the server was asked for by its *arguments* and *environ*; 1 if by neither."""
    program = _program_of(arguments)
    if program not in _VARIABLES:
        return 1
    if program == "uvicorn" and "--reload" in arguments:
        return 1  # it starts one process then, whatever else it is told
    for at, argument in enumerate(arguments):
        if argument.startswith("-w") and argument[2:].isdecimal():
            return _number(argument[2:])
        for option in ("--workers", "-w"):
            if argument == option and at + 1 < len(arguments):
                return _number(arguments[at + 1])
            if argument.startswith(f"{option}="):
                return _number(argument.removeprefix(f"{option}="))
    return max([1, *(_number(environ.get(name, "")) for name in _VARIABLES[program])])


class Family:
    """The process that started this one, and the others that it started."""

    def __init__(
        self, process: int, parent: int, *, clock: Callable[[], float], files: Path = Path("/proc")
    ) -> None:
        """Look at *process* and its *parent* in *files*, the processes as Linux shows them.

        *clock* gives seconds.
        """
        self._clock = clock
        self._looked_until = -inf
        self._has_siblings = False
        self._process = process
        self._parent = parent
        self._files = files
        self._own = self._command(process)
        #: A name of all workers; None if this process is not one.
        self.name: bytes | None = None
        if self._own and (_SPAWNED in self._own or self._own == self._command(parent)):
            began = self._read(f"{parent}/stat").rpartition(b")")[2].split()[19:20]
            self.name = blake2b(b"%d %b" % (parent, b"".join(began)), digest_size=16).digest()

    def has_siblings(self) -> bool:
        """Whether another worker of the same family lives now, or did some seconds ago."""
        now = self._clock()
        if now >= self._looked_until:
            self._looked_until = now + _LOOK_AGAIN
            self._has_siblings = self.size() > 1
        return self._has_siblings

    def size(self) -> int:
        """Return how many workers live now, this one among them."""
        if self.name is None:
            return 1
        lists = (self._files / str(self._parent) / "task").glob("*/children")
        children = {int(child) for found in lists for child in self._read(found).split()}
        return 1 + sum(self._command(child) == self._own for child in children - {self._process})

    def _command(self, process: int) -> bytes:
        return _HANDLES.sub(b"", self._read(f"{process}/cmdline"))

    def _read(self, name: str | Path) -> bytes:
        try:
            return (self._files / name).read_bytes()
        except OSError:
            return b""


def warn_of_workers(family: Family) -> bool:
    """Log it if several workers serve; return whether they do."""
    count = max(configured_workers(sys.argv, os.environ), family.size())
    if count > 1:
        log.error(
            "workers.several count=%d: each worker has sessions and channels of its own, so a message "
            "reaches some clients only, and polls are answered 402. Run one worker (--workers 1).",
            count,
        )
    return count > 1


def _program_of(arguments: Sequence[str]) -> str:
    program = Path(arguments[0]) if arguments else Path()
    return program.parent.name if program.name == "__main__.py" else program.stem


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
