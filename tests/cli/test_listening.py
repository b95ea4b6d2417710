"""``mirant serve`` over TLS and at a Unix socket."""

from __future__ import annotations

import signal
import ssl
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


async def test_a_unix_socket(tmp_path: Path) -> None:
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as server:
        assert server.first_line.startswith("Mirant is at /cometd on bus.sock ")
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "bus.sock"))
        async with httpx.AsyncClient(transport=transport) as http:
            client = await Poller(http, "http://localhost/cometd").begin()
            assert (await client.subscribe("/a"))["successful"]
        server.signal(signal.SIGINT)
        assert server.finish()[0] == 0
    assert not (tmp_path / "bus.sock").exists()


async def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path: Path) -> None:
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as dead:
        dead.signal(signal.SIGKILL)
        dead.finish()
    assert (tmp_path / "bus.sock").is_socket()
    with Process("serve", "--unix-socket", "bus.sock", folder=tmp_path) as server:
        assert server.first_line


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
