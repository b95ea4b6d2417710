"""A client in another language as a process that reports what it saw, one JSON object a line."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.interop.server import ROOT

Event = dict[str, Any]


class Scenario:
    """A script, by default under Node.js; leaving the context ends it, whatever state it is in."""

    def __init__(self, script: Path, log: Path, **options: str) -> None:
        launcher = self.launcher()
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._log = log
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [*launcher, str(script), *arguments], stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
            )

    @staticmethod
    def launcher() -> list[str]:
        """Return what runs the script; skip the test if it is not there."""
        node = shutil.which("node")
        if node is None or not (ROOT / "node_modules").is_dir():
            pytest.skip("needs Node.js and the npm packages: run `make interop`")
        return [node]

    def until(self, name: str) -> Event:
        """Read the report up to the first event called *name* and return that."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event: Event = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError(f"the script ended without {name!r}:\n{self._log.read_text()}")

    def finish(self) -> list[Event]:
        """Read the rest of the report, and require that the script ended by itself and well."""
        output, _ = self._process.communicate()
        assert self._process.returncode == 0, self._log.read_text()
        return [json.loads(line) for line in output.rstrip("\n").split("\n")]

    def suspend(self) -> None:
        """Stop the process in its tracks, as a closed lid does with a laptop."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended process go on."""
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> "Scenario":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
