"""The demo as a process of its own, which tests may kill."""

import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ADDRESS = re.compile(r"http://\S+/cometd")


class DemoServer:
    """``python -m mirant demo`` on a free port, which it keeps when it is started again.

    Leaving the context ends it.
    """

    def __init__(self, log: Path, command: tuple[str, ...] = ("demo",)) -> None:
        """Print to *log*; *command* is what ``mirant`` is told to run."""
        self._log = log
        self._command = command
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        #: Where the index page is.
        self.url = ""

    def start(self) -> None:
        """Start the process; return once it has said where it listens."""
        command = [sys.executable, "-u", "-m", "mirant", *self._command, "--port", str(self._port)]
        # A file, not a pipe: what nobody reads must not hold up the server.
        with self._log.open("ab") as log:
            already = log.tell()
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while (address := ADDRESS.search(self.log[already:])) is None:
            assert self._process.poll() is None, f"the server ended:\n{self.log}"
            time.sleep(0.02)  # nothing tells when a file grows; pytest's timeout is the limit
        self.url = address[0]
        self._port = int(self.url.split(":")[2].split("/")[0])

    @property
    def log(self) -> str:
        """What the server printed since it was first started."""
        return self._log.read_bytes().decode("ascii", "replace")

    def kill(self) -> None:
        """End the process as a power cut would: it cannot say goodbye to anyone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
