"""The log of ``mirant serve``: no reader stops the bus, no client forges a line or fills the disk."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirant.cli.log_writer import LineFormatter, LogWriter, PerSecond, write_to
from tests.hosts.clients import Poller
from tests.hosts.serving import Process

APPLICATION = """
import asyncio
import logging
import warnings
from mirant import Bus

bus = Bus()

@bus.on_publish("/fail")
def fail(caller, data):
    raise ValueError(f"the data is {data}")

@bus.on_publish("/say")
def say(caller, data):
    for _ in range(100):
        logging.getLogger("app").error("x" * 4_000)

async def forgotten(data):
    raise KeyError(data)

class Closing:
    def __init__(self, data):
        self.data = data

    def __del__(self):
        raise ValueError(self.data)

@bus.on_publish("/forget")
async def forget(caller, data):
    task = asyncio.create_task(forgotten(data))
    await asyncio.wait([task])
    del task
    Closing(data)
"""


class Reader:
    """What reads the log: nothing until it is told to."""

    def __init__(self) -> None:
        self.reads = threading.Event()
        self.lines: list[str] = []

    def __call__(self, line: bytes) -> None:
        self.reads.wait(10)
        self.lines.append(line.decode())


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def writer(reader: Reader) -> Iterator[LogWriter]:
    made = LogWriter(reader)
    yield made
    reader.reads.set()
    made.close()


def record(text: str, *arguments: object, name: str = "app") -> logging.LogRecord:
    """Return a record of *text*."""
    return logging.LogRecord(name, logging.WARNING, __file__, 1, text, arguments, None)


def test_lines_are_written_in_their_order(writer: LogWriter, reader: Reader) -> None:
    for number in range(3):
        writer.handle(record("line %d", number))
    reader.reads.set()
    writer.close()

    assert [line.split(" WARNING ")[1] for line in reader.lines] == [f"app line {n}\n" for n in range(3)]


def test_who_logs_never_waits_for_the_reader_and_what_does_not_fit_is_counted(
    writer: LogWriter, reader: Reader
) -> None:
    for _ in range(1_000):
        writer.handle(record("x" * 4_000))  # returns, though nothing is read
    reader.reads.set()
    writer.close()

    written = [line for line in reader.lines if " app " in line]
    assert sum(map(len, written)) <= 300_000
    assert reader.lines[-1] == f"log.dropped lines={1_000 - len(written)}\n"


def test_a_reader_that_is_gone_is_nobodys_concern() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    writer = LogWriter(write_to(writing))
    writer.handle(record("a"))
    writer.say("b")
    writer.close()
    os.close(writing)


def test_what_does_not_fit_its_format_is_written_without_the_arguments(
    writer: LogWriter, reader: Reader
) -> None:
    writer.handle(record("%d apples", "many"))
    reader.reads.set()
    writer.close()

    assert reader.lines == ["WARNING app %d apples\n"]


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("a\nb", "a\n    b"),
        ("a\r\n\r\nb", "a\n    \n    b"),
        ("\x1b[2Ja", "\\x1b[2Ja"),
        ("a\u2028b\x85c", "a\n    b\n    c"),
        ("a\u202eb", "a\\u202eb"),
        ("a\tb", "a\\tb"),
        ("a\0b", "a\\x00b"),
        ("ä", "ä"),
    ],
)
def test_no_text_begins_a_line_of_its_own_or_controls_a_terminal(text: str, visible: str) -> None:
    assert LineFormatter("%(message)s").format(record(text)) == visible


def test_an_exception_is_written_without_its_text() -> None:
    secret = "hunter" + "2"
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise ValueError(secret) from error
    except ValueError:
        failed = record("failed")
        failed.exc_info = sys.exc_info()
        failed.exc_text = f"as another handler wrote it, with {secret}"
    written = LineFormatter("%(message)s").format(failed)

    assert written.startswith("failed\nValueError at\n  File ")
    assert "because of KeyError at\n" in written
    assert secret not in written
    assert failed.exc_text is not None  # the other handler's is as it was


def test_talkative_packages_have_a_limit_each_and_say_how_many_lines_were_left_out() -> None:
    now = [0.0]
    limit = PerSecond(lambda: now[0])
    written = [limit.filter(record("a", name="asyncio")) for _ in range(25)]
    assert written == [True] * 10 + [False] * 15
    assert limit.filter(record("a", name="websockets.server"))
    assert all(limit.filter(record("a", name="app")) for _ in range(100))
    now[0] += 1
    following = record("b %d", 1, name="asyncio")

    assert limit.filter(following)
    assert following.getMessage() == "b 1 suppressed=15"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    """Run ``mirant serve`` with the application above; nobody reads its stderr."""
    (tmp_path / "app.py").write_text(APPLICATION)
    with Process("serve", "app:bus", "--port", "0", folder=tmp_path) as server:
        yield server


async def test_a_pipe_that_nobody_reads_stops_no_client(server: Process) -> None:
    async with Poller.at(server.url) as client:
        await client.begin()
        for _ in range(30):  # 12 MB of lines; the pipe takes 64 KiB
            assert (await client.publish("/say", 1))["successful"]
        assert not (await client.publish("/fail", 1))["successful"]
    server.signal(signal.SIGTERM)
    code, _, err = server.finish()

    assert code == -signal.SIGTERM
    assert "log.dropped lines=" in err


async def test_what_clients_say_gets_into_no_log_and_their_failures_do_not_fill_it(server: Process) -> None:
    secret = "hunter2\n2026-01-01 WARNING mirant.audit forged"
    async with Poller.at(server.url) as client:
        await client.begin()
        for _ in range(50):
            await client.publish("/fail", secret)
            await client.publish("/forget", secret)
    server.signal(signal.SIGTERM)
    _, _, err = server.finish()

    assert err.count("hook.failed channel=/fail\n") == 10
    assert 0 < err.count("loop.failed what=") <= 10
    assert "exception.ignored" in err
    assert "hunter2" not in err
    assert "forged" not in err
