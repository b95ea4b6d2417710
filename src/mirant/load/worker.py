"""A worker: one process that plays its share of the clients."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final

from mirant.load.client import LoadClient, Readiness
from mirant.load.clock import Alarm, now_us
from mirant.load.histogram import Histogram
from mirant.load.intake import Intake
from mirant.load.ledger import Ledger
from mirant.load.messages import PUBLISH_ID, Publisher
from mirant.load.orders import (
    Assignment,
    Findings,
    Finish,
    Gather,
    Gone,
    Halt,
    Order,
    Play,
    Report,
    Settle,
    WorkerSample,
)
from mirant.load.polling import PollingTransport
from mirant.load.schedule import Pace, PublishBatch, Schedule
from mirant.load.target import WEBSOCKET
from mirant.load.websocket import WebSocketTransport

_SAMPLE_EVERY: Final = 0.25  # seconds
_LEAVE_LIMIT: Final = 2.0  # seconds for the goodbyes
_LEAVE_CHECKS: Final = 100
_NO_RUN: Final = Pace(start=0, pause=1, batches=0)


def run_worker(assignment: Assignment, connection: Connection) -> None:
    """Obey the orders that come through *connection* until told to leave, or until it closes."""
    # Ctrl-C reaches all processes; the command decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _allow_connections()
    error = ""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(Worker(assignment, connection).work())
    except Exception:
        error = traceback.format_exc()
    try:
        connection.send(Gone(assignment.share.worker, error))
    except OSError:  # the command has gone
        pass


class Worker:
    """The clients of a share, the schedule of what they publish, and the ledger of what they receive."""

    def __init__(self, assignment: Assignment, connection: Connection) -> None:
        self._scenario = assignment.scenario
        self._target = assignment.target
        self._share = assignment.share
        self._connection = connection
        self._publisher = Publisher(assignment.scenario)
        self._schedule = Schedule(assignment.scenario, _NO_RUN)
        self._intake = Intake(Ledger(assignment.scenario, assignment.share, self._schedule))
        self.failures = self._intake.failures
        self._clients: dict[int, LoadClient] = {}
        self._run = 0
        self._published = 0
        self._owed = 0
        self._unconfirmed: dict[int, int] = {}
        self._unsent: list[int] = []
        self._refused: dict[int, str] = {}
        self._lateness: list[int] = []

    async def work(self) -> None:
        """Make the clients and obey orders until it is time to leave."""
        self._loop = asyncio.get_running_loop()
        self._left = asyncio.Event()
        self._alarm = Alarm(self._loop, self._publish_due)
        self._clients = {number: self._client(number) for number in self._share.clients(self._scenario)}
        gc.freeze()  # these live until the end, so the garbage collector can skip them
        self._loop.add_reader(self._connection.fileno(), self._read_orders)
        # uvloop has made it non-blocking. Such a pipe refuses findings that are larger than its buffer.
        os.set_blocking(self._connection.fileno(), True)
        sampling = self._loop.create_task(self._send_samples())
        await self._left.wait()
        self._alarm.stop()
        sampling.cancel()
        self._loop.remove_reader(self._connection.fileno())
        await self._say_goodbye()

    def replied(self, message_id: str, error: str | None) -> None:
        """Note the reply to a publish; *error* is None if it was accepted."""
        digits = message_id.removeprefix(PUBLISH_ID)
        fan_out = self._unconfirmed.pop(int(digits), None) if digits.isdecimal() else None
        if fan_out is None:  # of an earlier run
            return
        if error is None:
            self._owed += fan_out
        else:
            self._refused[int(digits)] = error

    # --- orders ---

    def _read_orders(self) -> None:
        try:
            while self._connection.poll():
                self._obey(self._connection.recv())
        except (EOFError, OSError):
            self._left.set()

    def _obey(self, order: Order) -> None:
        match order:
            case Gather(ramp_up):
                self._gather(ramp_up)
            case Play(pace):
                self._play(pace)
            case Halt():
                self._halt()
            case Settle():
                self._tell(self._findings())
            case Finish():
                self._left.set()

    def _gather(self, ramp_up: float) -> None:
        gone = (Readiness.IDLE, Readiness.GONE)
        absent = [client for client in self._clients.values() if client.readiness in gone]
        for client in absent:
            delay = ramp_up * client.number / self._scenario.clients
            self._loop.call_later(delay, client.start)

    def _play(self, pace: Pace) -> None:
        self._run = pace.first
        self._published = self._owed = 0
        self._unconfirmed, self._unsent, self._refused = {}, [], {}
        self._lateness.clear()
        self._schedule = Schedule(self._scenario, pace)
        # The ledger has a schedule of its own, because it may look ahead of what is published.
        self._intake.ledger = Ledger(self._scenario, self._share, Schedule(self._scenario, pace))
        self._wake_when_due()

    def _halt(self) -> None:
        self._schedule.stop()
        self._intake.ledger.halt()

    def _findings(self) -> Findings:
        ledger = self._intake.ledger
        return Findings(
            worker=self._share.worker,
            published=self._published,
            delivered=ledger.delivered,
            payloads=self._intake.payloads,
            halted_at=self._schedule.next_number,
            owed=self._owed,
            unconfirmed=self._unconfirmed,
            unsent=self._unsent,
            refused=self._refused,
            missing=ledger.missing(),
            faults=ledger.faults,
        )

    # --- publishing ---

    def _wake_when_due(self) -> None:
        if (due := self._schedule.next_due) is not None:
            self._alarm.set(due)

    def _publish_due(self) -> None:
        for batch in self._schedule.take(now_us()):
            if self._share.has(batch.publisher):
                self._publish(batch)
        self._wake_when_due()

    def _publish(self, batch: PublishBatch) -> None:
        numbers = range(batch.first, batch.first + len(batch.rooms))
        client = self._clients[batch.publisher]
        if client.client_id is None or not client.publish(self._publisher.messages(batch, client.client_id)):
            self._unsent.extend(numbers)
            return
        self._lateness.append(now_us() - batch.due)
        self._published += len(numbers)
        members = self._scenario.members
        self._unconfirmed.update((n, len(members[r])) for n, r in zip(numbers, batch.rooms, strict=True))

    # --- reporting ---

    async def _send_samples(self) -> None:
        while True:
            self._tell(self._sample())
            for client in self._clients.values():
                client.check(self._loop.time())
            await asyncio.sleep(_SAMPLE_EVERY)

    def _sample(self) -> WorkerSample:
        ledger = self._intake.ledger
        now, cpu = now_us(), time.process_time()  # both now, because the rest takes a while under overload
        ledger.advance(now)
        warming, latency = ledger.collect()
        lateness = Histogram.of(Counter(self._lateness).items())
        self._lateness.clear()
        return WorkerSample(
            worker=self._share.worker,
            run=self._run,
            at=now,
            ready=sum(client.readiness is Readiness.READY for client in self._clients.values()),
            published=self._published,
            delivered=ledger.delivered,
            outstanding=ledger.outstanding,
            is_done=self._schedule.next_due is None,
            warming=warming,
            latency=latency,
            lateness=lateness,
            cpu=cpu,
            failures=dict(self.failures),
        )

    def _tell(self, report: Report) -> None:
        try:
            self._connection.send(report)
        except OSError:
            self._left.set()

    # --- coming and going ---

    def _client(self, number: int) -> LoadClient:
        channels = [self._scenario.room_name(room) for room in self._scenario.rooms_of[number]]
        client = LoadClient(number, channels, self._target, self, self._loop)
        transport = WebSocketTransport if self._target.transport == WEBSOCKET else PollingTransport
        client.transport = transport(client, self._target, self._intake, self._loop)
        return client

    async def _say_goodbye(self) -> None:
        for client in self._clients.values():
            client.leave()
        for _ in range(_LEAVE_CHECKS):
            if not any(client.transport.is_open for client in self._clients.values()):
                break
            await asyncio.sleep(_LEAVE_LIMIT / _LEAVE_CHECKS)
        for client in self._clients.values():
            client.transport.close()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":  # uvloop does not support it
        return None
    import uvloop

    return uvloop.new_event_loop


def _allow_connections() -> None:
    """Raise this process's limit of open connections to its maximum: the usual 1,024 are too few."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
