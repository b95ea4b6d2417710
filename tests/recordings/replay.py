"""Replaying a recorded dialogue against a bus, through its ASGI application, on a clock that stands still.

A recording is a list of steps: a client sends something (`send`, `text`, `texts`), time passes (`wait`), the
application publishes (`publish`) or drops a session (`drop`), a client hangs up (`hang_up`), a request that
was held is answered (`answer_to`). `expect` is the outcome at the reference server, with ``$name`` for the
clientId that a handshake with ``session: name`` got.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mirant import Bus, Caller, RemoteError, Settings
from mirant.options.cookies import COOKIE

Json = dict[str, Any]
Outcome = Json | str

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.json"))

HELD = "held"
TRANSPORTS = ("websocket", "long-polling", "callback-polling")
TYPES = {
    "long-polling": "application/json;charset=utf-8",
    "callback-polling": "text/javascript;charset=utf-8",
}


class StandingClock(asyncio.SelectorEventLoop):
    """An event loop on which no time passes but what a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def time(self) -> float:
        return self.now


def load(file: str) -> Json:
    """Return one recording."""
    recording: Json = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    return recording


def replay(recording: Json) -> dict[str, Outcome]:
    """Return what came of each step of *recording* that has an expectation."""
    with asyncio.Runner(loop_factory=StandingClock) as runner:
        return runner.run(_replay(recording))


async def _replay(recording: Json) -> dict[str, Outcome]:
    bus = Bus(settings=Settings(transports=TRANSPORTS, **recording["settings"]))
    bus.rpc("/echo")(_echo)
    bus.rpc("/fail")(_fail)
    stage = Stage(bus)
    try:
        return {step["name"]: await stage.play(step) async for step in _each(recording["steps"], stage)}
    finally:
        await stage.clear()


async def _each(steps: list[Json], stage: "Stage") -> Any:
    for step in steps:
        if "expect" in step:
            yield step
        else:
            await stage.act(step)


def _echo(caller: Caller, data: object) -> object:
    return data


def _fail(caller: Caller, data: object) -> object:
    raise RemoteError("failed on purpose")


class Stage:
    """The bus and its clients."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._ids: dict[str, str] = {}
        self._cookies: dict[str, str] = {}
        self._requests: dict[str, Request] = {}
        self._sockets: dict[str, Socket] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def act(self, step: Json) -> None:
        """Do what nobody answers."""
        if "wait" in step:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, StandingClock)
            loop.now += step["wait"]
        elif "publish" in step:
            channel, items = step["publish"]
            for item in items:  # each in a turn of its own, as on a server with threads
                self._bus.publish_nowait(channel, item)
                await settle()
        elif "drop" in step:
            session = self._bus.session(self._ids[step["drop"]])
            assert session is not None
            self._bus.dismiss(session)
        else:
            self._sockets[step["hang_up"]].hang_up()
        await settle()

    async def play(self, step: Json) -> Outcome:
        """Do what is answered, and return the answer in the terms of the recording."""
        if "answer_to" in step:
            return self._outcome(self._requests[step["answer_to"]], step)
        if step["over"] == "websocket":
            return await self._play_socket(step)
        request = self._requests[step["name"]] = Request(self._bus, self._scope(step), self._body(step))
        self._tasks.append(request.task)
        await settle()
        return self._outcome(request, step)

    async def clear(self) -> None:
        """End what is still open."""
        await self._bus.close()
        for socket in self._sockets.values():
            socket.hang_up()
        await settle()
        for task in self._tasks:
            task.cancel()
        await settle()

    async def _play_socket(self, step: Json) -> Outcome:
        socket = self._sockets.get(step["by"])
        if socket is None:
            socket = self._sockets[step["by"]] = Socket(self._bus)
            self._tasks.append(socket.task)
        if "send" in step or "text" in step:
            socket.say(self._body(step), binary=step.get("binary", False))
        await settle()
        outcome: Json = {"messages": self._named(socket.take(), step)}
        if socket.closed is not None:
            outcome["closed"] = socket.closed
        return outcome

    def _outcome(self, request: "Request", step: Json) -> Outcome:
        if request.status is None:
            assert not request.task.done(), "the request ended without an answer"
            return HELD
        text = request.body.decode()
        if request.status != 200 or not text:
            return {"status": request.status, **({} if text else {"empty": True})}
        outcome: Json = {}
        if request.headers["content-type"] == TYPES["callback-polling"]:
            start, end = text.index("["), text.rindex("]") + 1
            outcome["script"] = text[:start] + "{}" + text[end:]
            text = text[start:end]
        else:
            assert request.headers["content-type"] == TYPES["long-polling"]
        if "set-cookie" in request.headers:
            name, _, value = request.headers["set-cookie"].partition(";")[0].partition("=")
            assert name == COOKIE
            self._cookies[step["by"]] = value
            outcome["cookie"] = True
        number = str if step.get("exact_numbers") else None
        outcome["messages"] = self._named(json.loads(text, parse_int=number, parse_float=number), step)
        return outcome

    def _named(self, messages: list[Json], step: Json) -> list[Json]:
        """Put the name of the session in place of the clientId that a handshake got."""
        for message in messages:
            if "clientId" in message:
                session = str(step.get("session", step["by"]))
                self._ids[session] = message["clientId"]
                message["clientId"] = f"${session}"
        return messages

    def _body(self, step: Json) -> str:
        text = step["text"] if "text" in step else json.dumps(step.get("send"))
        for name in sorted(self._ids, reverse=True):
            text = (text or "").replace(f'"${name}"', f'"{self._ids[name]}"')
        return (text or "").replace("$x", "x" * step.get("expand", 0))

    def _scope(self, step: Json) -> Json:
        path, _, query = step.get("path", "").partition("?")
        headers = {"host": "test"}
        kind = step.get("type", "application/json;charset=UTF-8")
        if kind is not None:
            headers["content-type"] = kind
        browser: str = step["browser_of"] if "browser_of" in step else step["by"]
        cookie = self._cookies.get(browser)
        if "browser_of" in step and cookie:
            self._cookies[step["by"]] = cookie
        if cookie and step.get("cookies", True):
            headers["cookie"] = f"{COOKIE}={cookie}"
        method = step.get("method", "POST")
        if step["over"] == "callback-polling":
            method, query = "GET", self._query(step)
        return _scope("http", headers, method=method, path="/cometd" + path, query_string=query.encode())

    def _query(self, step: Json) -> str:
        texts = step["texts"] if "texts" in step else [self._body(step)]
        named = [("jsonp", step["callback"])] if step["callback"] is not None else []
        named += [("message", text) for text in texts if text]
        return "&".join(f"{name}={quote(value)}" for name, value in named)


class Request:
    """One HTTP request to the bus, and what came of it."""

    def __init__(self, bus: Bus, scope: Json, body: str) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self._body = iter([{"type": "http.request", "body": body.encode()}])
        self.task = asyncio.create_task(bus(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        event = next(self._body, None)
        if event is None:
            await asyncio.Event().wait()
        return event

    async def _send(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self.headers = {name.decode(): value.decode() for name, value in event["headers"]}
        else:
            self.body += event.get("body", b"")


class Socket:
    """One WebSocket at the bus."""

    def __init__(self, bus: Bus) -> None:
        self.closed: int | None = None
        self._arrived: list[Json] = []
        self._said: asyncio.Queue[Json] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})
        scope = _scope("websocket", {"host": "test"}, path="/cometd", query_string=b"")
        self.task = asyncio.create_task(bus(scope, self._said.get, self._send))

    def say(self, text: str, *, binary: bool) -> None:
        """Send one frame."""
        content = {"bytes": text.encode()} if binary else {"text": text}
        self._said.put_nowait({"type": "websocket.receive", **content})

    def take(self) -> list[Json]:
        """Return the messages that came since the last call."""
        arrived, self._arrived = self._arrived, []
        return arrived

    def hang_up(self) -> None:
        """Close the connection."""
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def _send(self, event: Any) -> None:
        if event["type"] == "websocket.send":
            self._arrived += json.loads(event["text"])
        elif event["type"] == "websocket.close":
            self.closed = event["code"]


def _scope(kind: str, headers: dict[str, str], **more: object) -> Json:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"type": kind, "headers": pairs, "client": ("127.0.0.1", 1), "http_version": "1.1", **more}


async def settle() -> None:
    """Let everything happen that can without time passing."""
    for _ in range(60):
        await asyncio.sleep(0)


def steps() -> Iterator[tuple[str, Json]]:
    """Give each step of each recording that has an expectation, with the recording's name."""
    for file in FILES:
        for step in load(file)["steps"]:
            if "expect" in step:
                yield file.removesuffix(".json"), step
