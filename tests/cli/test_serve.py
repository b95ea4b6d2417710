"""``mirant serve``, and ``mirant`` without a command: the output, the bus that is served, and the errors."""

import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from mirant.cli import main
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import Process, listen

APPLICATION = """
from mirant import Bus

bus = Bus()
number = 5

@bus.rpc("/hello")
def hello(caller, data):
    return "hello from app.py"
"""


def run(*arguments: str) -> Result:
    """Run a command that ends by itself."""
    return CliRunner().invoke(main, arguments)


def complaint(folder: Path, *arguments: str) -> str:
    """Run ``mirant`` in *folder*, where it must fail with a sentence and no traceback; return that."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", list(sys.path))
        result = run(*arguments)
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in (1, 2), result.output
    assert result.stdout == ""
    return " ".join(result.stderr.split())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with an application in it."""
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "needs.py").write_text("import surely_not_installed\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "mistyped.py").write_text("def f(:\n")
    return tmp_path


def test_help() -> None:
    for option in ("-h", "--help"):
        result = run(option)

        assert result.exit_code == 0
        assert "Bayeux" in result.output
        assert "serve" in result.output
        assert "demo" in result.output


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_help_on_a_command(command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "--port" in result.output
    assert "8080" in result.output
    assert "127.0.0.1" in result.output


def test_version() -> None:
    result = run("--version")

    assert result.output == f"mirant {version('mirant')}\n"
    assert result.exit_code == 0


def test_an_unknown_command() -> None:
    result = run("sevre")

    assert result.exit_code == 2
    assert "No such command 'sevre'" in result.output


async def test_an_application(folder: Path) -> None:
    with Process("serve", "app:bus", "--port", "0", folder=folder) as server:
        assert server.first_line.startswith("Mirant is at http://localhost:")
        assert server.first_line.endswith("/cometd   (Ctrl-C ends it)\n")
        async with Poller.at(server.url) as client, Socket.at(server.url) as socket_client:
            await client.begin()
            await socket_client.begin()
            assert (await client.call("/hello"))["data"] == "hello from app.py"
        server.signal(signal.SIGINT)

        assert server.finish() == (0, "", "")


async def test_a_file_without_rules_is_said_to_allow_nothing(folder: Path) -> None:
    (folder / "mirant.toml").write_text('[session]\ntimeout = "5s"\n')
    with Process("serve", "--config", "mirant.toml", "--port", "0", folder=folder) as server:
        server.signal(signal.SIGINT)
        _, _, err = server.finish()

    assert err.startswith("The policy file has no rules. It allows nothing: add a [[channel]]")


async def test_an_open_bus_with_a_file(folder: Path) -> None:
    (folder / "mirant.toml").write_text('[session]\ntimeout = "7s"\n')
    with Process("serve", "--port", "0", "--config", "mirant.toml", "--path", "/", folder=folder) as server:
        assert server.first_line.split()[3].endswith("/")
        async with Poller.at(server.url) as client:
            assert (await client.handshake())["advice"]["timeout"] == 7000


async def test_other_machines_are_pointed_out(folder: Path) -> None:
    with Process("serve", "--host", "0.0.0.0", "--port", "0", folder=folder) as server:
        assert "http://localhost:" in server.first_line
        server.signal(signal.SIGINT)
        code, _, err = server.finish()

        assert code == 0
        assert err.startswith("Other machines can reach it.")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("missing:bus", "there is no module 'missing' here or on the Python path."),
        ("app.py:bus", "app:bus"),
        ("app.inner:bus", "there is no module 'app.inner'"),
        ("./app:bus", "app:bus"),
        (".app:bus", "app:bus"),
        ("app:buss", "'app' has no 'buss'; did you mean app:bus?"),
        ("app:number", "'app' has a 'number' that is not a mirant.Bus; did you mean app:bus?"),
        ("empty:bus", "'empty' has no 'bus'; make one there: bus = mirant.Bus()."),
        ("app", "'app' should be a module and a name in it, such as app:bus."),
        ("app:", "'app:' should be a module and a name in it, such as app:bus."),
        (":bus", "':bus' should be a module and a name in it, such as app:bus."),
        ("app:bus:bus", "app:bus"),
    ],
)
def test_a_bus_that_is_not_there(folder: Path, target: str, said: str) -> None:
    assert said in complaint(folder, "serve", target)


@pytest.mark.parametrize(
    ("module", "said"),
    [("broken", "ZeroDivisionError"), ("needs", "surely_not_installed"), ("mistyped", "SyntaxError")],
)
def test_a_module_that_fails_shows_where(folder: Path, module: str, said: str) -> None:
    code, out, err = Process("serve", f"{module}:bus", folder=folder).finish()

    assert code == 1
    assert out == ""
    assert said in err
    assert f"{module}.py" in err


def test_a_config_in_code_that_cannot_be(folder: Path) -> None:
    (folder / "mirant.toml").write_text("[session]\ntimout = 1\n")
    (folder / "configured.py").write_text("import mirant\nbus = mirant.Bus('mirant.toml')\n")

    assert "did you mean 'timeout'?" in complaint(folder, "serve", "configured:bus")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[session]\ntimout = 1", "2: session.timout: 'timout' is not an option in [session]; did you mean"),
        ("[session]\ntimeout = 'soon'", "2: session.timeout: 'soon' should be a duration such as"),
        ("[session", "1: this is not TOML: "),
    ],
)
def test_a_config_that_cannot_be(folder: Path, text: str, said: str) -> None:
    (folder / "mirant.toml").write_text(text)

    assert f"mirant.toml:{said}" in complaint(folder, "serve", "--config", "mirant.toml")


def test_a_config_that_is_not_there(folder: Path) -> None:
    assert "'none.toml' does not exist" in complaint(folder, "serve", "--config", "none.toml")
    assert "is a directory" in complaint(folder, "serve", "--config", ".")


def test_a_config_beside_a_bus_that_has_its_own(folder: Path) -> None:
    (folder / "mirant.toml").write_text("")
    said = complaint(folder, "serve", "app:bus", "--config", "mirant.toml")

    assert "app:bus has its own options; pass the file there: Bus('mirant.toml')." in said


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with listen() as other:
        other.listen()
        port: int = other.getsockname()[1]
        said = complaint(tmp_path, "serve", "--port", str(port))

        assert f"Port {port} is taken." in said
        assert "--port 0 for a free one" in said


def test_the_last_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 65535))
        other.listen()

        assert "65536" not in complaint(tmp_path, "serve", "--port", "65535")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "80.5", ""])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert "'--port'" in complaint(tmp_path, "serve", f"--port={port}")


@pytest.mark.parametrize(
    "host", ["256.1.1.1", "203.0.113.7", "no such host", "a..b", "", "x" * 300, "http://localhost"]
)
def test_a_host_that_is_none(tmp_path: Path, host: str) -> None:
    said = complaint(tmp_path, "serve", "--port", "0", "--host", host)

    assert "is not an address of this machine" in said
    assert "--host 127.0.0.1" in said


@pytest.mark.parametrize("path", ["cometd", "", "http://x/cometd"])
def test_a_path_without_its_slash(tmp_path: Path, path: str) -> None:
    said = complaint(tmp_path, "serve", "--path", path)

    assert "should begin with a slash, such as /cometd." in said


async def test_at_an_address_of_this_machine_other_names_are_refused(tmp_path: Path) -> None:
    """A page whose name points at this address is of the same origin for its browser (DNS rebinding)."""
    with Process("serve", "--port", "0", folder=tmp_path) as server:
        async with httpx.AsyncClient() as http:
            for path in ("", "/mirant.js", "/health"):
                evil = await http.get(server.url + path, headers={"host": "evil.example"})
                assert (evil.status_code, (await http.get(server.url + path)).status_code) == (421, 200)
            body = '[{"channel":"/meta/handshake"}]'
            for name, status in (
                ("evil.example", 421),
                ("localhost", 200),
                ("127.0.0.1", 200),
                ("[::1]", 200),
            ):
                response = await http.post(server.url, content=body, headers={"host": name})
                assert response.status_code == status
