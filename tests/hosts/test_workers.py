"""Several workers of one server: found by what started them, told at the start, and logged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from mirant.hosts.workers import Family, configured_workers, warn_of_workers
from tests.hosts.clients import Poller
from tests.hosts.uvicorn_process import Uvicorn

SPAWNED = b"python\0-c\0import spawn_main; spawn_main(pipe_handle=%d)\0--multiprocessing-fork\0"


@pytest.fixture(scope="module", autouse=True)
def host() -> None:
    """These are processes of their own, with the hosts that they have."""


@pytest.mark.parametrize(
    ("command", "variables", "workers"),
    [
        ("/bin/uvicorn --workers 4 app:bus", {}, 4),
        ("/bin/uvicorn --workers=4 app:bus", {}, 4),
        ("uvicorn/__main__.py --workers 4 app:bus", {}, 4),
        ("gunicorn -w 3 app:bus", {}, 3),
        ("gunicorn -w3 app:bus", {}, 3),
        ("gunicorn -wsgi app:bus", {}, 1),
        ("uvicorn --reload app:bus", {"WEB_CONCURRENCY": "3"}, 1),  # which starts one then
        ("gunicorn app:bus", {"WEB_CONCURRENCY": "3"}, 3),
        ("gunicorn -w 1 app:bus", {"WEB_CONCURRENCY": "3"}, 1),
        ("hypercorn -w 2 app:bus", {}, 2),
        ("hypercorn app:bus", {"WEB_CONCURRENCY": "3"}, 1),  # which does not read it
        ("granian --workers 2 app:bus", {}, 2),
        ("granian app:bus", {"GRANIAN_WORKERS": "2"}, 2),
        ("fastapi run --workers 2 app.py", {}, 2),
        ("uvicorn app:bus", {}, 1),
        ("uvicorn app:bus", {"WEB_CONCURRENCY": "many"}, 1),
        ("uvicorn --workers", {}, 1),
        ("daphne app:bus", {"WEB_CONCURRENCY": "3"}, 1),
        ("mirant serve", {"WEB_CONCURRENCY": "3"}, 1),  # it starts none
        ("", {}, 1),
    ],
)
def test_what_the_server_was_asked_for(command: str, variables: dict[str, str], workers: int) -> None:
    assert configured_workers(command.split(), variables) == workers


class Processes:
    """Processes as Linux shows them, in a folder of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[int] = []
        self.parent(b"python\0uvicorn\0")

    def parent(self, command: bytes) -> None:
        self._write(1, "cmdline", command)
        self._write(1, "stat", b"1 (a ) b) S " + b" ".join(b"%d" % number for number in range(4, 53)))

    def child(self, number: int, command: bytes) -> None:
        self._write(number, "cmdline", command)
        self.children.append(number)
        self._write(1, "task/1/children", b"".join(b"%d " % child for child in self.children))

    def family(self, of: int, clock: list[float] | None = None) -> Family:
        now = clock or [0.0]
        return Family(of, 1, clock=lambda: now[0], files=self.folder)

    def _write(self, process: int, name: str, content: bytes) -> None:
        file = self.folder / str(process) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path)


def test_workers_that_were_started_anew(processes: Processes) -> None:
    for number in (7, 9):
        processes.child(number, SPAWNED % number)
    processes.child(8, b"python\0-c\0from multiprocessing.resource_tracker import main\0")
    one, other = processes.family(7), processes.family(9)

    assert one.name == other.name is not None
    assert (one.size(), other.size()) == (2, 2)


def test_workers_that_were_forked(processes: Processes) -> None:
    for number in (7, 8, 9):
        processes.child(number, b"python\0uvicorn\0")

    assert processes.family(7).size() == 3


def test_a_server_that_was_started_by_something_else(processes: Processes) -> None:
    processes.parent(b"bash\0")
    for number in (7, 8):
        processes.child(number, b"mirant\0serve\0")
    alone = processes.family(7)

    assert alone.name is None
    assert alone.size() == 1


def test_the_only_child_has_no_siblings_until_there_is_another(processes: Processes) -> None:
    processes.child(7, SPAWNED % 7)
    now = [0.0]
    family = processes.family(7, now)
    assert not family.has_siblings()
    processes.child(8, SPAWNED % 8)
    assert not family.has_siblings()  # it was looked at just now
    now[0] += 5
    assert family.has_siblings()


def test_where_linux_shows_no_processes(tmp_path: Path) -> None:
    family = Family(7, 1, clock=lambda: 0.0, files=tmp_path)

    assert family.name is None
    assert not family.has_siblings()


def test_it_is_said_loudly_and_what_to_do(
    processes: Processes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["program"])
    processes.child(7, SPAWNED % 7)
    assert not warn_of_workers(processes.family(7))
    assert caplog.records == []
    processes.child(8, SPAWNED % 8)
    assert warn_of_workers(processes.family(7))

    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("workers.several count=2: ")
    assert "Run one worker (--workers 1)." in record.getMessage()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are not counted")
async def test_two_workers_of_uvicorn(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from mirant import Bus\napp = Bus()\n")
    server = Uvicorn("--workers", "2", folder=tmp_path)
    try:
        origin = (await asyncio.to_thread(server.url)).removesuffix("cometd/")
        await asyncio.to_thread(server.wait_for, "startup complete")
        for _ in range(100):  # connections are spread among the workers by chance
            async with Poller.at(origin) as client:
                await client.handshake()
                lost = client.id
            async with Poller.at(origin) as client:
                client.id = lost
                [reply] = await client.send({"channel": "/meta/subscribe", "subscription": "/a"})
            if not reply["successful"]:
                break
    finally:
        server.process.terminate()
        log = await asyncio.to_thread(server.end)

    assert not reply["successful"]
    assert log.count("workers.several count=2: ") == 2
    assert f"session.elsewhere address=127.0.0.1 session={str(lost)[:8]}" in log
