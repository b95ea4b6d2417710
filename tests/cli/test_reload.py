"""Rules in a running ``mirant serve``: read again at SIGHUP, in force as a whole, and no session ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import NoReturn

import pytest

from mirant import Bus, Handshake, Identity, SettingsError
from mirant.cli.running import reload_on_hangup
from tests.hosts.clients import Poller, Socket
from tests.hosts.serving import Process

OLD = """\
[session]
timeout = "7s"
[[channel]]
match = "/**"
subscribe = "anyone"
publish = "anyone"
"""
NEW = """\
[session]
timeout = "9s"
[[channel]]
match = "/news"
subscribe = "anyone"
publish = "server"
"""
DENIED = "403:denied_by_security_policy:publish_denied"


async def line(server: Process) -> str:
    """Return the next line that the process writes to stderr."""
    assert server._process.stderr is not None
    return await asyncio.to_thread(server._process.stderr.readline)


async def reload(server: Process) -> tuple[str, list[str]]:
    """Send SIGHUP; return what the process says about it, and the events that it logs before."""
    server.signal(signal.SIGHUP)
    events = []
    while " mirant.audit " in (said := await line(server)):
        events.append(said.partition(" mirant.audit ")[2])
    return said.strip(), events


async def timeout_of(server: Process) -> int:
    """Return what a new session is told about the option ``session.timeout``, in milliseconds."""
    async with Poller.at(server.url) as client:
        timeout: int = (await client.handshake())["advice"]["timeout"]
        return timeout


async def test_new_rules_are_in_force_and_no_session_ends(tmp_path: Path) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    with Process("serve", "--port", "0", "--config", "mirant.toml", folder=tmp_path) as server:
        async with Socket.at(server.url) as reader, Poller.at(server.url) as writer:
            await reader.begin()
            await reader.subscribe("/news")
            await reader.subscribe("/chat/**")
            await writer.begin()
            assert (await writer.publish("/chat/a", 1))["successful"]
            assert await reader.receive() == [{"channel": "/chat/a", "data": 1}]

            config.write_text(NEW)
            said, events = await reload(server)
            assert said == "Reloaded."
            assert events == [f"subscriptions.revoked session={str(reader.id)[:8]} count=1\n"]

            [told] = await reader.receive()
            assert told["channel"] == "/service/mirant/revoked"
            assert told["data"] == {"subscriptions": ["/chat/**"]}
            assert (await writer.publish("/news", 2))["error"] == DENIED
            await reader.connect(advice={"timeout": 0})
            assert (await reader.receive())[-1]["successful"], "the session goes on"
            assert await timeout_of(server) == 9000
        server.signal(signal.SIGINT)
        code, _, said = server.finish()
        assert code == 0
        assert " mirant.audit publish.denied address=127.0.0.1 channel=/news " in said


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (NEW + 'publsh = "anyone"\n', "mirant.toml:7: channel[0].publsh: "),
        (NEW.replace('"9s"', '"soon"'), "mirant.toml:2: session.timeout: "),
        (
            NEW + "[token]\nalgorithms = ['HS256']\nsecret_file = 'none'\n",
            "mirant.toml:9: token.secret_file: ",
        ),
        ("[session\n", "mirant.toml:1: this is not TOML: "),
        (None, "No such file or directory"),
    ],
)
async def test_a_wrong_file_changes_nothing_and_says_why(
    tmp_path: Path, wrong: str | None, complaint: str
) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    with Process("serve", "--port", "0", "--config", "mirant.toml", folder=tmp_path) as server:
        async with Poller.at(server.url) as client:
            await client.begin()
            if wrong is None:
                config.unlink()
            else:
                config.write_text(wrong)
            assert await reload(server) == ("Not reloaded, because of this:", [])
            assert complaint in await line(server)
            assert await timeout_of(server) == 7000
            assert (await client.publish("/news", 1))["successful"]
            assert (await client.subscribe("/chat/**"))["successful"]

            config.write_text(NEW)
            assert (await reload(server))[0] == "Reloaded."
            assert await timeout_of(server) == 9000
            assert (await client.publish("/news", 1))["error"] == DENIED


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ('[{"channels": "/a/{b}c", "filter": "NoMarkupFilter"}]', "filters.json:1: [0].channels: "),
        ("[", "filters.json:1: this is not JSON: "),
        ("[" * 100_000, "filters.json: this is not JSON: "),
        ('[{"channels": "/a", "filter": "exiter_of_test:own"}]', "exiter_of_test cannot be imported"),
    ],
)
async def test_wrong_filters_change_nothing_and_say_why(tmp_path: Path, wrong: str, complaint: str) -> None:
    (tmp_path / "exiter_of_test.py").write_text("raise SystemExit(1)")
    filters = tmp_path / "filters.json"
    filters.write_text('[{"channels": "/**", "filter": "NoMarkupFilter"}]')
    with Process("serve", "--port", "0", "--filters", "filters.json", folder=tmp_path) as server:
        async with Poller.at(server.url) as client:
            filters.write_text(wrong)
            assert await reload(server) == ("Not reloaded, because of this:", [])
            assert complaint in await line(server)
            await client.begin()
            await client.subscribe("/a")
            [delivery, _] = await client.send({"channel": "/a", "data": "<b>", "id": "1"})
            assert delivery["data"] == "&lt;b&gt;"


async def test_a_reload_that_fails_for_whatever_reason_is_told(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bus, told = Bus(), asyncio.Event()

    def fail() -> NoReturn:
        asyncio.get_running_loop().call_soon(told.set)
        raise RecursionError("nobody thought of that")

    bus.reload = fail  # type: ignore[method-assign]  # there is no known way to make it fail so
    reload_on_hangup(bus)
    try:
        signal.raise_signal(signal.SIGHUP)
        await told.wait()
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    assert capsys.readouterr().err == (
        "Not reloaded, because of this:\nRecursionError: nobody thought of that\n"
    )
    assert "reload.failed" in caplog.text


async def test_jettys_filters_are_in_force_and_read_again(tmp_path: Path) -> None:
    filters = tmp_path / "filters.json"
    filters.write_text('[{"channels": "/chat/**", "filter": "org.mortbay.cometd.filter.NoMarkupFilter"}]')
    with Process("serve", "--port", "0", "--filters", "filters.json", folder=tmp_path) as server:
        async with Socket.at(server.url) as reader, Poller.at(server.url) as writer:
            await reader.begin()
            await reader.subscribe("/**")
            await writer.begin()
            await writer.publish("/chat/a", "<b>")
            assert (await reader.receive())[0]["data"] == "&lt;b&gt;"
            await writer.publish("/other", "<b>")
            assert (await reader.receive())[0]["data"] == "<b>"
            filters.write_text("[]")
            assert (await reload(server))[0] == "Reloaded."
            await writer.publish("/chat/a", "<b>")
            assert (await reader.receive())[0]["data"] == "<b>"


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [
        ((), True),
        (("--filters", "filters.json"), True),
        (("--config", "mirant.toml"), False),
        (("--config", "mirant.toml", "--filters", "filters.json"), False),
    ],
)
async def test_other_machines_are_warned_of_where_there_are_no_rules(
    tmp_path: Path, arguments: tuple[str, ...], *, warned: bool
) -> None:
    (tmp_path / "mirant.toml").write_text(NEW)
    (tmp_path / "filters.json").write_text("[]")
    with Process("serve", "--host", "0.0.0.0", "--port", "0", *arguments, folder=tmp_path) as server:
        server.signal(signal.SIGINT)
        code, _, said = server.finish()
    assert code == 0
    assert ("Without a policy file everybody may do everything" in said) is warned
    assert bool(said) is warned


async def test_a_bus_that_only_this_machine_reaches_warns_of_nothing(tmp_path: Path) -> None:
    with Process("serve", "--port", "0", folder=tmp_path) as server:
        server.signal(signal.SIGINT)
        assert server.finish() == (0, "", "")


# --- The same, looked at from within ---


@pytest.mark.parametrize(
    "wrong",
    [
        NEW.replace('"anyone"', '"anybody"'),
        NEW.replace('"9s"', '"0s"'),
        NEW + '[token]\nalgorithms = ["HS256"]\nsecret = "short"\n',
        NEW + '[[channel]]\nmatch = "/{any}"\nsubscribe = "anyone"\n[[channel]]\nmatch = "/*"\n',
    ],
)
async def test_half_a_policy_is_never_in_force(tmp_path: Path, wrong: str) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    bus = Bus(config, environ={})
    guard, settings = bus._core.guard, bus.settings
    config.write_text(wrong)
    with pytest.raises(SettingsError):
        bus.reload()
    assert bus._core.guard is guard
    assert bus.settings is settings
    assert bus._core.hooks.authenticate is None


async def test_tokens_do_not_replace_the_applications_own_authentication(tmp_path: Path) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    bus = Bus(config, environ={})

    @bus.authenticate
    def who(handshake: Handshake) -> Identity:
        return Identity("alice")

    guard = bus._core.guard
    config.write_text(f'{NEW}[token]\nalgorithms = ["HS256"]\nsecret = "{"x" * 32}"\n')
    with pytest.raises(SettingsError, match=r"@bus\.authenticate"):
        bus.reload()
    assert bus._core.guard is guard
    assert bus.settings.timeout == 7


async def test_it_says_what_changed(tmp_path: Path) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    with Process("serve", "--port", "0", "--config", "mirant.toml", folder=tmp_path) as server:
        config.write_text(NEW + NEW[NEW.index("[[channel]]") :].replace("/news", "/more"))
        assert (await reload(server))[0] == "Reloaded."
        assert await line(server) == "Rules: 1 before, 2 now. Subscriptions revoked: 0.\n"

        config.write_text("")
        assert (await reload(server))[0] == "Not reloaded, because of this:"
        assert "it has no rules, and 2 are in force" in await line(server)


async def test_a_file_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    config = tmp_path / "mirant.toml"
    config.write_text(OLD)
    whole = NEW + "".join(NEW[NEW.index("[[channel]]") :].replace("/news", f"/{n}") for n in range(20))
    with Process("serve", "--port", "0", "--config", "mirant.toml", folder=tmp_path) as server:
        config.write_text("")
        server.signal(signal.SIGHUP)
        with config.open("w") as file:
            for part in range(0, len(whole), 200):
                file.write(whole[part : part + 200])
                file.flush()
                await asyncio.sleep(0.02)  # the server has to see the file while it is not whole
        assert await line(server) == "Reloaded.\n"
        assert await line(server) == "Rules: 1 before, 21 now. Subscriptions revoked: 0.\n"
