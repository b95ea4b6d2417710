"""uvicorn as people start it: a process with a command line, and a log on stderr."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


class Uvicorn:
    """``uvicorn ARGUMENTS`` in a process of its own; `log` is what it has written."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        paths = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "uvicorn", "--port", "0", *arguments, "app:app"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.log = ""

    def wait_for(self, text: str) -> str:
        """Return the next line with *text*."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line
            if text in line:
                return line
        raise AssertionError(self.log)

    def url(self) -> str:
        """Return where the bus is, once it is served."""
        [url] = [word for word in self.wait_for("running on").split() if word.startswith("http")]
        self.wait_for("startup complete") if "startup complete" not in self.log else None
        return f"{url}/cometd/"

    def end(self) -> str:
        """Wait until the process has ended; return its whole log."""
        assert self.process.stderr is not None
        self.log += self.process.communicate(timeout=20)[1]
        return self.log
