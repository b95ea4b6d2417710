"""The server that is attacked: a process of its own, from this checkout or another one."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench.attacks.attack import Aim

ROOT: Final = Path(__file__).parents[2]

Host = Literal["native", "asgi"]

_COMMANDS: Final[dict[Host, list[str]]] = {
    "native": ["-m", "mirant", "serve", "--path", "/cometd"],
    "asgi": ["-m", "uvicorn", "bench.attacks.application:bus", "--log-level", "error", "--no-access-log"],
}


@dataclass(frozen=True, slots=True)
class Target:
    """A server that runs."""

    aim: Aim
    pid: int

    def memory(self) -> int:
        """Return how many KiB of memory it has now."""
        return self._read("VmRSS")

    def peak(self) -> int:
        """Return the most KiB of memory it has had since `forget_peak`."""
        return self._read("VmHWM")

    def forget_peak(self) -> None:
        """Let `peak` begin anew (Linux)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def _read(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None, "the process has ended, or this is not Linux"
        return int(found[1])


@contextmanager
def serving(checkout: Path, host: Host) -> Iterator[Target]:
    """Serve a bus by the source in *checkout*."""
    port = _free_port()
    env = os.environ | {"PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, *_COMMANDS[host], "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield Target(Aim("127.0.0.1", port, "/cometd"), process.pid)
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server did not begin to listen within 10 seconds")
