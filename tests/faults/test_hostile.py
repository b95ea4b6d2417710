"""10,000 hostile first words leave nothing behind, and nobody else notices them."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from tests.faults.hostile import attack, http_words, websocket_words
from tests.hosts.clients import Fields, Poller, Socket
from tests.hosts.serving import Process

SEED = 1 if os.environ.get("CI") else random.SystemRandom().randrange(10**6)
AT_ONCE = 40
MOST_GROWTH = 20 * 1024  # KiB

APP = """\
from mirant import Bus

bus = Bus()
"""


def resident(process: Process) -> int:
    """Return how much memory the process has, in KiB."""
    status = Path(f"/proc/{process._process.pid}/status")
    if not status.exists():
        pytest.skip("needs /proc")
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1])


async def storm(port: int, count: int, dice: random.Random) -> list[bytes]:
    """Attack *count* times, half over HTTP, half over WebSocket; return the answers."""
    words = iter([(http_words if number % 2 else websocket_words)(dice) for number in range(count)])
    answers: list[bytes] = []

    async def attacker() -> None:
        for said in words:
            answers.append(await attack(port, said))

    await asyncio.gather(*(attacker() for _ in range(AT_ONCE)))
    return answers


async def talk(socket: Socket, poller: Poller, storming: "asyncio.Task[list[bytes]]") -> int:
    """Publish to a client on a WebSocket and one on long-polling; return how often, each came through."""
    rounds = 0
    while not storming.done():
        await socket.send({"channel": "/live", "data": rounds, "id": f"w{rounds}"})
        arrived: list[Fields] = []
        while not any(message.get("id") == f"w{rounds}" for message in arrived):
            arrived += await socket.receive()
        assert [m["data"] for m in arrived if "data" in m] == [rounds]
        polled = await poller.connect()
        assert [m["data"] for m in polled if "data" in m] == [rounds]
        rounds += 1
    return rounds


@pytest.mark.timeout(180)
async def test_ten_thousand_hostile_first_words_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    with Process("serve", "app:bus", "--host", "127.0.0.1", "--port", "0", folder=tmp_path) as process:
        # Read all the time: a pipe that is full would hold up the server.
        assert process._process.stderr is not None
        errors = asyncio.create_task(asyncio.to_thread(process._process.stderr.read))
        url = process.url
        port = int(url.split(":")[2].split("/")[0])
        dice = random.Random(SEED)
        await storm(port, 500, dice)  # whatever is made once is made now
        async with Socket.at(url) as socket, Poller.at(url) as poller:
            await socket.begin()
            await socket.subscribe("/live")
            await poller.begin()
            await poller.subscribe("/live")
            before = resident(process)
            storming = asyncio.create_task(storm(port, 10_000, dice))
            rounds = await talk(socket, poller, storming)
            answers = await storming
            growth = resident(process) - before
        process.signal(signal.SIGINT)
        assert "Traceback" not in await errors, f"seed {SEED}"
        assert growth < MOST_GROWTH, f"seed {SEED}"
        assert rounds > 20
        statuses = {answer[9:12] for answer in answers if answer.startswith(b"HTTP/1.1 ")}
        assert {b"101", b"200", b"400", b"413", b"421"} <= statuses
        assert b"500" not in statuses, f"seed {SEED}"
