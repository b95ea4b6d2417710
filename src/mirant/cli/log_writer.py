"""The log of ``mirant serve``. A thread writes it.

Another process may read the log through a pipe, and may stop reading. A full pipe holds 64 KiB. The next
write to it waits for ever. On the event loop such a write would stop every client. So the lines wait for the
thread, up to a limit. Lines beyond the limit are dropped and counted.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from mirant.bus.failures import places_of
from mirant.bus.log_lines import one_line

# Bytes that may wait for a reader, in all and in one line.
_MAX_WAITING: Final = 256 * 1024
_MAX_LINE: Final = 16 * 1024

# How long the end of the process waits for a reader, in seconds.
_PATIENCE: Final = 1.0

# Loggers of packages that know no limit, and how many lines of each are written in a second. Clients cause
# lines of theirs too. Those of this package have limits of their own.
_TALKATIVE: Final = frozenset({"asyncio", "py", "uvicorn", "websockets"})
_MAX_PER_SECOND: Final = 10


class LogWriter(logging.Handler):
    """Takes each line without waiting. A thread writes the lines."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Give each line to *write*, which may take its time and may raise `OSError`."""
        super().__init__()
        self.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        self.addFilter(PerSecond(time.monotonic))
        self._write = write
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Write *text* as it is, for a person."""
        self._put(f"{text}\n".encode(errors="backslashreplace"))

    def emit(self, entry: logging.LogRecord) -> None:
        if self._size >= _MAX_WAITING - _MAX_LINE:
            self._dropped += 1  # without a lock: nothing is told from a count that is off by one
            return
        try:
            text = self.format(entry)
        except Exception:  # the arguments do not fit the message: the caller has a bug
            text = f"{entry.levelname} {entry.name} {one_line(entry.msg)}"
        self._put(text[:_MAX_LINE].encode(errors="backslashreplace") + b"\n")

    def close(self) -> None:
        """Wait a moment until all is written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_PATIENCE)
        super().close()

    def _put(self, line: bytes) -> None:
        with self._changed:
            if self._size + len(line) > _MAX_WAITING:
                self._dropped += 1
                return
            self._waiting.append(line)
            self._size += len(line)
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._dropped or self._closing):
                    self._changed.wait()
                if self._waiting:
                    line = self._waiting.popleft()
                    self._size -= len(line)
                elif self._dropped:
                    line, self._dropped = b"log.dropped lines=%d\n" % self._dropped, 0
                else:
                    return
            try:
                self._write(line)
            except OSError:
                pass  # nobody can read it


def log_by(writer: LogWriter) -> None:
    """Let *writer* have what Python would write to stderr by itself: the log, warnings, and lost exceptions.

    A log that the application has configured stays as it is.
    """
    logging.basicConfig(handlers=[writer], level=logging.INFO)
    logging.captureWarnings(capture=True)
    lost = logging.getLogger("py.exceptions")

    def unraisable(context: Any) -> None:
        lost.error("exception.ignored", exc_info=context.exc_value)

    def in_thread(context: Any) -> None:
        lost.error("thread.failed", exc_info=context.exc_value)

    sys.unraisablehook, threading.excepthook = unraisable, in_thread


class LineFormatter(logging.Formatter):
    """Makes lines of a record that no data in it can forge.

    What follows in a record after its first line is indented, control characters are escaped, and of an
    exception the text is left out.
    """

    def formatMessage(self, entry: logging.LogRecord) -> str:  # noqa: N802  # it overrides
        first, *more = super().formatMessage(entry).splitlines()
        return "\n    ".join([_visible(first), *map(_visible, more)])

    def formatException(self, ei: Any) -> str:  # noqa: N802  # it overrides
        return places_of(ei[1])

    def format(self, entry: logging.LogRecord) -> str:
        known = entry.exc_text
        if entry.exc_info:
            entry.exc_text = None  # another handler's formatter has quoted the exception's text
        try:
            return super().format(entry)
        finally:
            entry.exc_text = known


class PerSecond(logging.Filter):
    """Lets through some records a second of each talkative package, and says how many it did not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[str, tuple[int, int]] = {}  # second, and records in it

    def filter(self, entry: logging.LogRecord) -> bool:
        package = entry.name.partition(".")[0]
        if package not in _TALKATIVE:
            return True
        now = int(self._clock())
        second, count = self._counts.get(package, (now, 0))
        if second != now:
            left_out = count - _MAX_PER_SECOND
            if left_out > 0:
                entry.msg = f"{entry.getMessage()} suppressed={left_out}"
                entry.args = None
            count = 0
        self._counts[package] = (now, count + 1)
        return count < _MAX_PER_SECOND


def write_to(descriptor: int) -> Callable[[bytes], None]:
    """Return what writes to the file *descriptor*, past Python's stream, whose lock would stop the end."""

    def write(line: bytes) -> None:
        while line:
            line = line[os.write(descriptor, line) :]

    return write


def _visible(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
