"""Forked processes: each tries one change within its time, and its exit code says what became of that."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

#: Most memory of a child, in bytes: a loop that appends for ever must not take the machine with it.
_MEMORY: Final = 4 << 30
_POLL: Final = 0.002  # seconds between two looks at the children


class Outcome(Enum):
    """What became of a change."""

    KILLED = "killed"  # a test failed
    SURVIVED = "survived"  # all tests passed that were asked
    TIMEOUT = "timeout"  # the tests did not come to an end; a person would notice that too
    BROKEN = "broken"  # the child could not try it


_OUTCOMES: Final = {0: Outcome.SURVIVED, 1: Outcome.KILLED}


@dataclass(frozen=True)
class Task:
    """What a child does: *work* returns whether all tests passed, within *seconds*."""

    work: Callable[[], bool]
    seconds: float


class _Child:
    """One forked process and its temporary folder."""

    def __init__(self, index: int, task: Task) -> None:
        self.index = index
        self.folder = Path(tempfile.mkdtemp(prefix="mutant-"))
        sys.stdout.flush()
        sys.stderr.flush()
        self._until = time.monotonic() + task.seconds
        self._process = os.fork()
        if self._process == 0:
            _live(task, self.folder)

    def outcome(self) -> Outcome | None:
        """Return what became of it; None as long as it runs."""
        process, status = os.waitpid(self._process, os.WNOHANG)
        if process:
            outcome = _OUTCOMES.get(os.waitstatus_to_exitcode(status), Outcome.BROKEN)
            if outcome is Outcome.BROKEN:
                self._explain(status)
            self._sweep()
            return outcome
        if time.monotonic() < self._until:
            return None
        self._sweep()
        os.waitpid(self._process, 0)
        return Outcome.TIMEOUT

    def _explain(self, status: int) -> None:
        text = (self.folder / "output").read_text(errors="replace")
        print(f"a child ended with status {status}: {text[-2_000:]}", file=sys.stderr, flush=True)

    def _sweep(self) -> None:
        """End what is left of it: the process and those that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _live(task: Task, folder: Path) -> None:
    """Be the child: do the work and exit with its outcome, without any of the parent's cleaning up."""
    code = 3
    try:
        os.setpgid(0, 0)
        silence = os.open(folder / "output", os.O_CREAT | os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        most = int(task.seconds) + 5  # if the parent is gone, nobody else ends it
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
        code = 0 if task.work() else 1
    except SystemExit:
        code = 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def run_children(tasks: Iterable[Task], jobs: int) -> Iterator[tuple[int, Outcome]]:
    """Run *tasks*, *jobs* at a time; give the index and the outcome of each as it ends."""
    waiting = enumerate(tasks)
    running: list[_Child] = []
    while True:
        while len(running) < jobs and (following := next(waiting, None)) is not None:
            running.append(_Child(*following))
        if not running:
            return
        for child in running[:]:
            outcome = child.outcome()
            if outcome is not None:
                running.remove(child)
                yield child.index, outcome
        time.sleep(_POLL)  # nothing tells when one of several ends or has had its time
