"""Sessions without number that come and go, in a world of their own.

Most of them shake hands and are never heard of again. The others subscribe, to channels of their own too, and
are sent something; half of these say goodbye, the rest expire, some with a connect that is held. Some have a
browser's cookie, some the ack extension. As a command::

    python -m tests.faults.lifetimes --sessions 1000000
"""

import argparse
import gc
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mirant.bayeux.codec import decode
from mirant.bus.request import Request
from mirant.extensions.ack import Ack
from mirant.options.cookies import COOKIE
from mirant.testing import World
from mirant.transports.long_polling import Exchange
from mirant.transports.response import Response

WAVE = 2_000
WARM_UP = 10 * WAVE  # more names than any cache keeps


@dataclass(frozen=True)
class Memory:
    """How much memory this process uses."""

    blocks: int  # of Python's allocator
    resident: int  # KiB

    @classmethod
    def now(cls) -> "Memory":
        """Measure, after everything that can be freed is."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(sys.getallocatedblocks(), pages * 4)


class Lives:
    """A world in which sessions come and go in waves."""

    def __init__(self) -> None:
        self.world = World(max_interval=10)
        self.world.core.extensions.add(Ack())
        self.ended = 0

    def pass_by(self, count: int) -> None:
        """Let *count* sessions live and end."""
        for start in range(0, count, WAVE):
            self._wave(min(WAVE, count - start))

    def _wave(self, count: int) -> None:
        sessions = [self._enter(self.ended + number) for number in range(count)]
        assert len(self.world.core.sessions) == count
        self.world.publish("/all", "something")
        for client_id, headers in sessions[::8]:
            answer = self._ask(f'[{{"channel":"/meta/disconnect","clientId":"{client_id}"}}]', headers)
            assert b'"successful":true' in answer
        assert len(self.world.core.sessions) == count - count // 8
        self.world.advance(60)
        assert self.world.is_empty()
        self.ended += count

    def _enter(self, number: int) -> tuple[str, dict[str, str]]:
        headers = {}
        if number % 3 == 0:
            headers["cookie"] = f"{COOKIE}={self.world.core.browsers.issue()}"
        ack = ',"ext":{"ack":true}' if number % 5 == 0 else ""
        answer = self._ask(f'[{{"channel":"/meta/handshake"{ack}}}]', headers)
        client_id = answer.partition(b'"clientId":"')[2][:32].decode()
        if number % 4:
            return client_id, headers
        own = f'"clientId":"{client_id}"'
        connect = f'{{"channel":"/meta/connect",{own}}}'
        names = f'["/all","/own/{number}","/own/{number}/**"]'
        self._ask(f'[{connect},{{"channel":"/meta/subscribe",{own},"subscription":{names}}}]', headers)
        if number % 12 == 0:  # some connects are held, until what is published or the time answers them
            self._ask(f"[{connect}]", headers)
        return client_id, headers

    def _ask(self, text: str, headers: dict[str, str]) -> bytes:
        answers: list[Response] = []

        def answer(response: Response) -> bool:
            answers.append(response)
            return True

        exchange = Exchange(self.world.core, Request(headers), answer)
        messages = decode(text.encode(), max_size=1_000, max_batch=2)
        self.world.run(self.world.core.receive(messages, exchange, self.world.now))
        return answers[0].body if answers else b""


def main() -> None:
    """Read the arguments, let the sessions live and say what they left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.lifetimes", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    count = parser.parse_args().sessions
    lives = Lives()
    lives.pass_by(WARM_UP)
    before, began = Memory.now(), time.monotonic()
    lives.pass_by(count)
    after = Memory.now()
    sys.stdout.write(
        f"{count} sessions in {time.monotonic() - began:.0f} s\n"
        f"blocks {before.blocks} -> {after.blocks} ({after.blocks - before.blocks:+})\n"
        f"resident {before.resident} -> {after.resident} KiB ({after.resident - before.resident:+})\n"
    )


if __name__ == "__main__":
    main()
