"""A bus under a policy file, as an application holds it: tokens, filters, and files that change."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mirant import Bus, Settings, SettingsError, Veto
from tests.hosts.clients import Poller
from tests.identity.signing import SECRET, with_secret

RULES = """
[[channel]]
match = "/**"
subscribe = "authenticated"
publish = "authenticated"

[[channel]]
match = "/users/{user}/inbox"
subscribe = "self"
publish = "server"
filters = ["no-markup"]
history = 2
"""
TOKEN = '[token]\nalgorithms = ["HS256"]\nfrom = ["ext.token", "cookie:token"]\n'
ENVIRON = {"MIRANT_TOKEN_SECRET": SECRET}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a policy file whose secret comes by the environment."""
    path = tmp_path / "mirant.toml"
    path.write_text(TOKEN + RULES)
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()


def token(name: str, seconds: float = 60.0) -> str:
    return with_secret({"sub": name, "exp": time.time() + seconds})


async def test_a_token_says_who_a_client_is(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    async with Poller.inside(bus) as alice, Poller.inside(bus) as nobody:
        await alice.handshake(ext={"token": token("alice")})
        await nobody.handshake()
        assert (await alice.subscribe("/users/alice/inbox"))["successful"]
        assert not (await alice.subscribe("/users/bob/inbox"))["successful"]
        assert not (await alice.subscribe("/users/**"))["successful"]
        assert not (await nobody.subscribe("/news"))["successful"]


@pytest.mark.parametrize(
    ("credential", "error"),
    [
        ({"sub": "alice", "exp": 1}, "403:token_expired:handshake_denied"),
        ({"exp": 9e9}, "403:token_invalid:handshake_denied"),
    ],
)
async def test_a_bad_token_keeps_its_bearer_out(config: Path, credential: object, error: str) -> None:
    async with Poller.inside(Bus(config, environ=ENVIRON)) as client:
        reply = await client.handshake(ext={"token": with_secret(credential)})
        assert (reply["error"], reply["advice"]) == (error, {"reconnect": "none"})


async def test_a_token_is_not_forwarded_to_others(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    async with Poller.inside(bus) as alice:
        await alice.handshake(ext={"token": token("alice")})
        await alice.subscribe("/news")
        answer = await alice.send({"channel": "/news", "data": 1, "ext": {"token": token("alice"), "a": 1}})
        [delivery] = [message for message in answer if "data" in message]
        assert delivery["ext"] == {"a": 1}


async def test_a_cookie_does_not_sign_in_a_session_that_somebody_else_may_have_opened(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    async with Poller.inside(bus) as client:
        await client.begin()
        client.http.cookies.set("token", token("victim"))
        await client.connect(advice={"timeout": 0})
        assert not (await client.subscribe("/users/victim/inbox"))["successful"]
        await client.connect(advice={"timeout": 0}, ext={"token": token("victim")})
        assert (await client.subscribe("/users/victim/inbox"))["successful"]


async def test_what_the_application_publishes_is_filtered_and_kept(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    bus.open()
    for n in range(3):
        await bus.publish("/users/alice/inbox", f"<{n}>")
    assert bus.history("/users/alice/inbox") == ["&lt;1&gt;", "&lt;2&gt;"]
    async with Poller.inside(bus) as alice:
        await alice.handshake(ext={"token": token("alice")})
        message = {"channel": "/meta/subscribe", "subscription": "/users/alice/inbox", "ext": {"history": 1}}
        assert [each["data"] for each in await alice.send(message) if "data" in each] == ["&lt;2&gt;"]


async def test_the_application_is_told_of_what_its_filters_drop(tmp_path: Path) -> None:
    write(tmp_path / "mirant.toml", '[[channel]]\nmatch = "/a"\nfilters = [{ size = 3 }]')
    bus = Bus(tmp_path / "mirant.toml")
    bus.open()
    with pytest.raises(Veto, match="too_large"):
        await bus.publish("/a", "1234")


async def test_jettys_filters_alone_leave_the_bus_open(tmp_path: Path) -> None:
    path = tmp_path / "filters.json"
    write(path, '[{"channels": "/chat/**", "filter": "NoMarkupFilter", "init": null}]')
    async with Poller.inside(Bus(filters=path)) as client:
        await client.begin()
        await client.subscribe("/**")
        for channel in ("/chat/a", "/other"):
            answer = await client.publish(channel, "<b>")
            assert answer["successful"]


async def test_a_reload_keeps_sessions_and_puts_all_in_force_at_once(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    async with Poller.inside(bus) as alice:
        await alice.handshake(ext={"token": token("alice")})
        await alice.subscribe("/news", "/users/alice/inbox")
        write(config, TOKEN + '[session]\ntimeout = "7s"\n[[channel]]\nmatch = "/news"\nsubscribe = "anyone"')
        bus.reload()
        assert bus.settings.timeout == 7
        assert not (await alice.publish("/news", 1))["successful"]
        assert await bus.publish("/news", 1) == 1
        assert await bus.publish("/users/alice/inbox", 1) == 0


async def test_a_wrong_file_changes_nothing(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    write(config, TOKEN + '[[channel]]\nmatch = "/news"\nsubscribe = "anybody"')
    with pytest.raises(SettingsError, match=r"mirant.toml:6: channel\[0\].subscribe: 'anybody' names nobody"):
        bus.reload()
    assert bus.settings.timeout == Settings().timeout
    async with Poller.inside(bus) as alice:
        await alice.handshake(ext={"token": token("alice")})
        assert (await alice.subscribe("/news"))["successful"]


async def test_a_file_that_is_gone_changes_nothing(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    remove(config)
    with pytest.raises(FileNotFoundError):
        bus.reload()
    assert not bus.is_open


def test_there_is_one_way_to_authenticate(config: Path) -> None:
    bus = Bus(config, environ=ENVIRON)
    with pytest.raises(ValueError, match="authentication already"):
        bus.authenticate(lambda handshake: None)


async def test_a_reload_does_not_take_the_applications_authentication(config: Path) -> None:
    write(config, RULES)
    bus = Bus(config, environ={})
    bus.authenticate(lambda handshake: None)
    write(config, TOKEN + RULES)
    with pytest.raises(SettingsError):
        bus.reload()  # there is no key
    write(config, TOKEN + f'secret = "{SECRET}"\n' + RULES)
    with pytest.raises(SettingsError, match=r"@bus\.authenticate"):
        bus.reload()


def test_the_environment_overrides_the_file(config: Path) -> None:
    bus = Bus(config, environ={**ENVIRON, "MIRANT_SESSION_TIMEOUT": "3s", "MIRANT_LIMITS_MAX_BATCH": "5"})
    assert (bus.settings.timeout, bus.settings.max_batch) == (3, 5)


def test_a_wrong_variable_is_an_error_with_its_name(config: Path) -> None:
    with pytest.raises(SettingsError, match="MIRANT_SESSION_TIMEOUT: 'soon' should be a duration"):
        Bus(config, environ={**ENVIRON, "MIRANT_SESSION_TIMEOUT": "soon"})


def test_a_file_without_rules_allows_nothing(tmp_path: Path) -> None:
    (tmp_path / "mirant.toml").write_text("")
    assert not Bus(tmp_path / "mirant.toml").is_open
    assert Bus().is_open
