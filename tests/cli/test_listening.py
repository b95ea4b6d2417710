"""``mirant serve`` over TLS and at a Unix socket."""

from __future__ import annotations

import signal
import socket
import ssl
import stat
from pathlib import Path

import httpx
import pytest
import trustme

from tests.cli.test_serve import run
from tests.hosts.clients import Poller
from tests.hosts.serving import Process


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Return an authority, and leave a certificate of it for localhost in the folder."""
    authority = trustme.CA()
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "localhost.pem")
    )
    return authority


async def test_tls(tmp_path: Path, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with Process("serve", "--port", "0", "--certificate", "localhost.pem", folder=tmp_path) as server:
        assert server.url.startswith("https://")
        async with httpx.AsyncClient(verify=context) as http:
            assert "Secure" in (await http.post(server.url, content=HANDSHAKE)).headers["set-cookie"]
            client = await Poller(http, server.url).begin()
            await client.subscribe("/a")
            assert (await client.publish("/a", 1))["successful"]
        server.signal(signal.SIGINT)
        assert server.finish()[0] == 0


async def answers(file: Path) -> bool:
    """Whether there is a bus at the socket *file*."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(file))) as http:
        client = await Poller(http, "http://localhost/cometd").begin()
        return bool((await client.subscribe("/a"))["successful"])


async def test_a_unix_socket(tmp_path: Path) -> None:
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as server:
        assert server.first_line.startswith("Mirant is at /cometd on bus.sock ")
        assert await answers(tmp_path / "bus.sock")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_file_of_a_unix_socket_goes_with_its_server(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as server:
        assert (tmp_path / "bus.sock").is_socket()
        server.signal(number)
        assert server.finish()[0] == code
    assert not (tmp_path / "bus.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_server_leaves_the_file_of_its_successor(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "bus.sock"
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as old:
        file.unlink()
        with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path):
            old.signal(number)
            old.finish()
            assert await answers(file)


@pytest.mark.parametrize("mode", ["600", "0660", "777"])
def test_the_mode_of_a_unix_socket(tmp_path: Path, mode: str) -> None:
    with Process("serve", "--unix-socket", "bus.sock", "--unix-socket-mode", mode, folder=tmp_path):
        assert stat.S_IMODE((tmp_path / "bus.sock").stat().st_mode) == int(mode, 8)


@pytest.mark.parametrize("mode", ["rw", "66", "888", "-660", "6600", ""])
def test_a_mode_that_is_none(mode: str) -> None:
    result = run("serve", "--unix-socket", "bus.sock", f"--unix-socket-mode={mode}")
    assert result.exit_code == 2
    assert "permissions such as 660" in " ".join(result.output.split())


def test_a_mode_goes_with_a_unix_socket() -> None:
    result = run("serve", "--unix-socket-mode", "660")
    assert result.exit_code == 2
    assert "goes with a --unix-socket." in result.output


async def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path: Path) -> None:
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as dead:
        dead.signal(signal.SIGKILL)
        dead.finish()
    assert (tmp_path / "bus.sock").is_socket()
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path):
        assert await answers(tmp_path / "bus.sock")


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_is_not_known_to_be_dead_is_left_alone(tmp_path: Path, kind: socket.SocketKind) -> None:
    file = tmp_path / "bus.sock"
    with socket.socket(socket.AF_UNIX, kind) as live:
        live.bind(str(file))
        if kind == socket.SOCK_STREAM:
            live.listen(0)
        # A datagram socket refuses ours with another error than "nobody listens", as one without permission.
        before = file.stat()
        result = run("serve", "--unix-socket", str(file))
        after = file.stat()
        assert result.exit_code == 1
        assert "Address already in use" in result.output
        assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
        # Not st_atime: Linux notes there that somebody tried to connect.
        assert (after.st_mtime_ns, after.st_ctime_ns) == (before.st_mtime_ns, before.st_ctime_ns)


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    result = run("serve", "--unix-socket", str(tmp_path / "precious"))
    assert result.exit_code == 1
    assert "Address already in use" in result.output
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_key_goes_with_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("")
    result = run("serve", "--key", str(tmp_path / "key.pem"))
    assert result.exit_code == 2
    assert "goes with a --certificate" in result.output


HANDSHAKE = b'[{"channel":"/meta/handshake"}]'
