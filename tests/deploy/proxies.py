"""The recipes of ``deploy``, each run by its real proxy in front of a bus."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

import pytest

from tests.interop.server import ROOT, free_port

#: The name of the site in all recipes.
NAME: Final = "bus.example.org"

#: Debian has servers where its users do not look.
PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


class Proxy:
    """A proxy that runs its recipe; leaving the context ends it."""

    #: What the program and the Debian package are called.
    program: ClassVar[str]
    #: The file in ``deploy``.
    recipe: ClassVar[str]

    def __init__(self, folder: Path, bus_port: int, certificate: Path) -> None:
        """Run in *folder*, in front of the bus at *bus_port*; *certificate* is a PEM file with its key."""
        self.folder = folder
        self.certificate = certificate
        self.bus = f"127.0.0.1:{bus_port}"
        self.ports = {"http": free_port(), "https": free_port()}
        self._process: subprocess.Popen[bytes] | None = None

    def origin(self, scheme: str) -> str:
        """Return the origin of the site over *scheme*."""
        return f"{scheme}://{NAME}:{self.ports[scheme]}"

    def adapted(self, changes: dict[str, str]) -> str:
        """Return the recipe with the addresses and files of this test; each of *changes* is made once."""
        text = (ROOT / "deploy" / self.recipe).read_text(encoding="utf-8")
        for before, after in {"127.0.0.1:8080": self.bus, **changes}.items():
            assert text.count(before) == 1, f"{before!r} is not once in {self.recipe}"
            text = text.replace(before, after)
        return text

    def command(self) -> list[str]:
        """Write the configuration, and return the command that runs it in the foreground."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        if shutil.which(self.program, path=PATH) is None:
            pytest.skip(f"needs {self.program}: run `make proxies`")
        self.folder.mkdir()
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env={**os.environ, "PATH": PATH, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            for port in self.ports.values():
                self._wait_for(port, log)
        except BaseException:
            self._end()  # pytest's timeout among them: no process may outlive the test
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait_for(self, port: int, log: Path) -> None:
        assert self._process is not None
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert self._process.poll() is None, f"{self.program} ended:\n{log.read_text()}"
            time.sleep(0.02)  # nothing tells when another program listens

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


class Nginx(Proxy):
    """nginx, whose recipe is a part of its configuration."""

    program, recipe = "nginx", "nginx.conf"

    def command(self) -> list[str]:
        site = self.adapted(
            {
                "listen 80;": f"listen 127.0.0.1:{self.ports['http']};",
                "listen 443 ssl http2;": f"listen 127.0.0.1:{self.ports['https']} ssl http2;",
                "/etc/ssl/bus.example.org.pem": str(self.certificate),
                "/etc/ssl/bus.example.org.key": str(self.certificate),
            }
        )
        (self.folder / "site.conf").write_text(site)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        # As root, nginx's workers would be another user, who may not read the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user} daemon off; pid {self.folder}/pid; error_log stderr warn; events {{}}\n"
            f"http {{ access_log off; {places} include {self.folder}/site.conf; }}\n"
        )
        return ["nginx", "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]


class Haproxy(Proxy):
    """HAProxy."""

    program, recipe = "haproxy", "haproxy.cfg"

    def command(self) -> list[str]:
        text = self.adapted(
            {
                "bind :80": f"bind 127.0.0.1:{self.ports['http']}",
                "bind :443": f"bind 127.0.0.1:{self.ports['https']}",
                "/etc/haproxy/bus.example.org.pem": str(self.certificate),
            }
        )
        (self.folder / "haproxy.cfg").write_text(text)
        return ["haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")]


class Caddy(Proxy):
    """Caddy."""

    program, recipe = "caddy", "Caddyfile"

    def command(self) -> list[str]:
        text = self.adapted(
            {
                "http://bus.example.org {": f"{self.origin('http')} {{\n\tbind 127.0.0.1",
                "https://bus.example.org {": f"{self.origin('https')} {{\n\tbind 127.0.0.1",
                "/etc/ssl/bus.example.org.pem": str(self.certificate),
                "/etc/ssl/bus.example.org.key": str(self.certificate),
            }
        )
        # No control port, no port 80, and nothing of the last run.
        ours = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
        (self.folder / "Caddyfile").write_text(ours + text)
        return ["caddy", "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]


PROXIES: Final[tuple[type[Proxy], ...]] = (Nginx, Haproxy, Caddy)
