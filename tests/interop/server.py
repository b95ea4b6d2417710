"""A Mirant server as a process of its own, which tests may kill."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Find a port nobody listens on; it stays free unless another program is very quick."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``mirant serve`` on a port of its own; leaving the context ends it."""

    def __init__(self, log: Path, bus: str = "bus") -> None:
        self._log = log
        self._port = free_port()
        self._command = [
            *(sys.executable, "-u", "-m", "mirant", "serve", f"tests.interop.app:{bus}"),
            *("--host", "127.0.0.1", "--port", str(self._port)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0  # how much of the log belongs to servers that were killed

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients find the bus."""
        return f"http://127.0.0.1:{self._port}/cometd"

    def start(self) -> None:
        """Start the process and return once it says that it listens."""
        # A file, not a pipe: what nobody reads must not hold up the server.
        with self._log.open("ab") as log:
            self._read = log.tell()
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_for(f":{self._port}/cometd")

    def wait_for(self, text: str) -> None:
        """Return once the process has printed *text*; pytest's timeout is the limit."""
        assert self._process is not None
        while text.encode() not in self._log.read_bytes()[self._read :]:
            assert self._process.poll() is None, f"the server ended:\n{self._log.read_text()}"
            time.sleep(0.02)  # nothing tells when a file grows

    def kill(self) -> None:
        """End the process as a power cut would: it cannot say goodbye to anyone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Kill the process and start another one, which knows no session, on the same port."""
        self.kill()
        self.start()

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.kill()  # pytest's timeout among them: no process may outlive the test
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
