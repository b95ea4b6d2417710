"""``mirant load`` against real servers: one that is sound, and ones that are not."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from mirant.cli import main
from tests.hosts.serving import Process, listen

SMALL = (
    *("--clients", "20", "--rooms", "5", "--rooms-per-client", "2", "--rate", "400", "--batch-size", "5"),
    *("--duration", "700ms", "--warm-up", "200ms", "--ramp-up", "200ms", "--patience", "2s"),
)

LOSSY = """
from mirant import Bus
from mirant.bus.extension import Extension
from mirant.extensions.ack import Ack

class OneInAHundred(Extension):
    seen = 0

    def delivering(self, delivery, session, now):
        OneInAHundred.seen += 1
        return delivery if OneInAHundred.seen % 100 else None

class Install(Extension):
    def incoming(self, message, turn, now):
        if turn.session is not None and not turn.session.extensions:
            turn.session.extensions = (OneInAHundred(),)

bus = Bus(extensions=[Ack(), Install()])
"""


FATED = """
import asyncio, os, signal
from mirant import Bus

bus = Bus()
published = 0

@bus.on_publish('/bench/a/{room}')
def end(caller, data, room):
    global published
    published += 1
    if published == NUMBER:
        FATE
"""


def fated(folder: Path, number: int, fate: str = "os._exit(1)") -> Path:
    """Return *folder* with a bus in app.py to which *fate* happens at a publish: by default it dies."""
    (folder / "app.py").write_text(FATED.replace("NUMBER", str(number)).replace("FATE", fate))
    return folder


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``mirant load`` as a user would."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "mirant", "load", *arguments],
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run ``mirant serve``."""
    with Process("serve", "--port", "0", folder=tmp_path_factory.mktemp("serve")) as process:
        yield process


@pytest.fixture(scope="module")
def lossy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Run a bus that keeps one delivery in a hundred to itself."""
    folder = tmp_path_factory.mktemp("lossy")
    (folder / "app.py").write_text(LOSSY)
    with Process("serve", "app:bus", "--port", "0", folder=folder) as process:
        yield process


@pytest.mark.parametrize(
    "options",
    [
        ("--transport", "websocket", "--workers", "2", "--randomize"),
        ("--transport", "long-polling"),
        ("--transport", "websocket", "--ack"),
        ("--transport", "long-polling", "--ack", "--header", "X-Tea: earl grey", "--ext", '{"a":1}'),
    ],
    ids=" ".join,
)
def test_a_sound_server(server: Process, options: tuple[str, ...], tmp_path: Path) -> None:
    file, page = tmp_path / "report.json", tmp_path / "report.html"
    done = run(server.url, *SMALL, *options, "--json", str(file), "--html", str(page))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every message arrived, once and in order." in done.stdout
    assert "20 of 20 clients are ready" in done.stderr
    report = json.loads(file.read_bytes())
    assert report["verdict"]["published"] == 360
    assert report["verdict"]["expected"] == report["verdict"]["delivered"] > 360 * 4
    assert report["verdict"]["failures"] == {}
    assert report["latency_us"]["count"] < report["verdict"]["delivered"]
    assert 0 < report["latency_us"]["p50"] <= report["latency_us"]["p99"]
    assert "<svg" in page.read_text()


def test_a_search(server: Process, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    # Nothing is good that takes longer than a microsecond, so the search goes down to its end.
    options = ("--search", "--p99", "1us", "--rate", "2", "--duration", "500ms", "--warm-up", "0s")
    done = run(server.url, *SMALL[:6], *options, "--batch-size", "1", "--json", str(file))

    assert done.returncode == 1, done.stderr
    assert "No rate was found with a p99 of 0.001 ms or less" in done.stdout
    assert len(json.loads(file.read_bytes())["search"]["trials"]) == 2


@pytest.mark.parametrize("transport", ["websocket", "long-polling"])
def test_a_search_whose_server_goes_away_reports_what_it_tried(transport: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    options = ("--search", "--rate", "50", "--transport", transport, "--json", str(file))
    with Process("serve", "app:bus", "--port", "0", folder=fated(tmp_path, 200)) as server:
        done = run(server.url, *SMALL, *options, "--p99", "10s", "--patience", "500ms")
    search = json.loads(file.read_bytes())["search"]

    assert done.returncode == 1
    assert "The search ended early." in done.stdout
    assert "Only 0 of 20 clients are ready." in search["ended_by"]
    assert [trial["fault"] for trial in search["trials"][:-1]] == [None] * (len(search["trials"]) - 1)
    assert "their clients were away" in search["trials"][-1]["fault"]
    assert "Traceback" not in done.stdout + done.stderr


def test_a_search_whose_server_falls_silent_does_not_look_for_a_rate_any_longer(tmp_path: Path) -> None:
    folder = fated(tmp_path, 100, "os.kill(os.getpid(), signal.SIGSTOP)")
    with Process("serve", "app:bus", "--port", "0", folder=folder) as server:
        done = run(server.url, *SMALL, "--search", "--rate", "100", "--p99", "10s", "--patience", "500ms")

    assert done.returncode == 1
    assert "The search ended early. Nothing was delivered at" in done.stdout
    assert "publishes neither confirmed nor delivered" in done.stdout


@pytest.mark.parametrize("transport", ["websocket", "long-polling"])
def test_a_lossy_server(lossy_server: Process, transport: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    options = ("--transport", transport, "--patience", "500ms", "--json", str(file))
    done = run(lossy_server.url, *SMALL, *options)
    verdict = json.loads(file.read_bytes())["verdict"]

    assert done.returncode == 1
    assert "Not every message arrived" in done.stdout
    assert "never reached client" in done.stdout
    assert verdict["lost"] == pytest.approx(verdict["expected"] / 100, abs=1)
    assert verdict["delivered"] == verdict["expected"] - verdict["lost"]
    assert verdict["duplicates"] == verdict["disordered"] == verdict["altered"] == verdict["strays"] == 0


def test_a_server_that_goes_away(tmp_path: Path) -> None:
    with Process("serve", "app:bus", "--port", "0", folder=fated(tmp_path, 100)) as server:
        done = run(server.url, *SMALL, "--patience", "500ms")

    assert done.returncode == 1
    assert "publishes not sent: their clients were away" in done.stdout
    # A client whose publish was not read yet sees a reset, the others an end.
    broken = re.findall(r"(\d+) times: (?:the server closed a connection|a connection broke)", done.stdout)
    assert sum(map(int, broken)) == 20
    assert "Traceback" not in done.stdout + done.stderr


def test_what_comes_twice_after_the_last_delivery_is_found(tmp_path: Path) -> None:
    again = "asyncio.get_running_loop().call_later(0.2, bus.publish_nowait, '/bench/a/' + room, data)"
    with Process("serve", "app:bus", "--port", "0", folder=fated(tmp_path, 360, again)) as server:
        done = run(server.url, *SMALL)

    assert done.returncode == 1, done.stdout
    assert re.search(r"\d deliveries came twice", done.stdout)


def test_ctrl_c_reports_what_there_is(server: Process) -> None:
    arguments = [sys.executable, "-W", "error", "-m", "mirant", "load", server.url, *SMALL]
    process = subprocess.Popen(
        [*arguments, "--duration", "60s"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stderr is not None
        while "published" not in (line := process.stderr.readline()):
            assert line, "it has ended by itself"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)

    assert process.returncode == 130, out + err
    assert "Interrupted: this is the part of the run until then." in out
    assert "Every message arrived, once and in order." in out


def test_a_report_that_cannot_be_written_stops_no_other(server: Process, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = run(server.url, *SMALL, "--json", "/dev/full", "--html", str(page))

    assert done.returncode == 1
    assert "Error: Cannot write /dev/full: No space left on device." in done.stderr
    assert "<svg" in page.read_text()


def test_nobody_there() -> None:
    with listen() as taken:
        url = "http://{}:{}/".format(*taken.getsockname())
    done = run(url, *SMALL, "--ramp-up", "0s", "--patience", "300ms")

    assert done.returncode == 1
    assert "Only 0 of 20 clients are ready." in done.stderr
    assert "cannot connect" in done.stderr


def test_no_bayeux_there(server: Process) -> None:
    done = run(server.url.removesuffix("cometd"), *SMALL, "--ramp-up", "0s", "--patience", "300ms")

    assert done.returncode == 1
    assert "Only 0 of 20 clients are ready." in done.stderr
    assert "no WebSocket there" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("localhost:8080",), "should be a URL such as http://127.0.0.1:8080/cometd"),
        (("http://a/", "--duration", "10"), "should be a number with a unit: 500us, 10ms, 30s or 2m"),
        (("http://a/", "--header", "nonsense"), "should be a header such as 'Authorization: Bearer abc'"),
        (("http://a/", "--header", "A: b\nC: d"), "should be one line of ASCII"),
        (("http://a/", "--ext", "[1]"), "should be a JSON object"),
        (("http://a/", "--rate", "5", "--batch-pause", "1s"), "give one of them"),
        (("http://a/", "--rate", "1000000000"), "Give a larger --batch-size"),
        (("http://a/", "--rate", "0.00001", "--duration", "1s"), "is none in 1 s. Give a longer --duration"),
        (("http://a/", "--batch-pause", "2s", "--duration", "1s"), "A batch every 2 s is none in 1 s"),
        (("http://a/", "--json", "/nowhere/report.json"), "'/nowhere/report.json' cannot be written"),
        (("http://a/", "--html", "/"), "'/' cannot be written"),
        (("http://me:pw@a/",), "name and password should not be in the URL"),
        (("http://a:99999/",), "Port out of range"),
        (("http://a/", "--rooms", "5"), "cannot be in 10 rooms when there are 5"),
        (("http://a/", "--channel", "bench"), "should be a channel such as /bench/a"),
    ],
)
def test_what_cannot_be_done_is_explained(arguments: tuple[str, ...], complaint: str) -> None:
    result = CliRunner().invoke(main, ["load", *arguments])

    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", "").split())


def test_help_has_an_example() -> None:
    result = CliRunner().invoke(main, ["load", "--help"])

    assert result.exit_code == 0
    assert "mirant load http://127.0.0.1:8080/cometd --html report.html" in result.output
    assert "TIME has a unit" in result.output
