"""The bus as an application holds it: making it, publishing, delivering, closing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import mirant
from mirant import Bus, ChannelInvalid, Session, Settings, SettingsError, TimeSync
from tests.hosts.clients import Poller


def test_every_public_name_is_there() -> None:
    assert mirant.__all__ == sorted(mirant.__all__)
    for name in mirant.__all__:
        assert getattr(mirant, name).__doc__


def test_a_bus_with_the_defaults() -> None:
    bus = Bus()

    assert bus.settings == Settings()
    assert bus.sessions == 0
    assert bus.session("nobody") is None
    assert bus.session("") is None


@pytest.mark.parametrize("kind", [str, Path])
def test_a_bus_from_a_file(tmp_path: Path, kind: Any) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text('[session]\ntimeout = "5s"')

    assert Bus(kind(path)).settings.timeout == 5


def test_the_environment_overrides_options_with_a_file_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text('[session]\ntimeout = "5s"')
    monkeypatch.setenv("MIRANT_SESSION_TIMEOUT", "7s")

    assert Bus(path).settings.timeout == Bus().settings.timeout == 7
    assert Bus(settings=Settings(timeout=20)).settings.timeout == 20
    monkeypatch.setenv("MIRANT_SESSION_TIMEOUT", "nonsense")
    with pytest.raises(SettingsError, match="MIRANT_SESSION_TIMEOUT"):
        Bus()


def test_a_file_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text("[sesion]")

    with pytest.raises(SettingsError, match="'session'"):
        Bus(path)


def test_a_file_and_settings(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not both"):
        Bus(tmp_path / "mirant.toml", settings=Settings())


def test_a_folder_of_pages_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        Bus(pages=tmp_path / "none")


async def test_pages_of_an_application(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<script src="{{base}}/x.js"></script>')
    (tmp_path / "about.html").write_text("about")
    (tmp_path / "x.js").write_text("1")
    (tmp_path / "secret.toml").write_text("secret")
    (tmp_path / "folder").mkdir()
    async with Poller.inside(Bus(pages=tmp_path)) as client:
        pages = {path: await client.http.get(path) for path in ("/", "/about", "/x.js", "/mirant.js")}

        assert {path: page.status_code for path, page in pages.items()} == dict.fromkeys(pages, 200)
        assert pages["/"].text == '<script src="/x.js"></script>'
        assert pages["/x.js"].headers["content-type"] == "text/javascript;charset=utf-8"
        for path in ("/secret.toml", "/folder", "/about.html", "/secret"):
            assert (await client.http.get(path)).status_code == 404


@pytest.mark.parametrize("extensions", [[], [TimeSync(lambda: 1_000_000.0)]])
async def test_extensions_are_those_that_are_given(extensions: list[TimeSync]) -> None:
    async with Poller.inside(Bus(extensions=extensions)) as client:
        reply = await client.handshake(ext={"timesync": {"tc": 1, "l": 0, "o": 0}})

        assert ("ext" in reply) == bool(extensions)


async def test_the_wall_clock_is_what_clients_are_told() -> None:
    async with Poller.inside(Bus(wall_clock=lambda: 1_000_000.0)) as client:
        reply = await client.handshake(ext={"timesync": {"tc": 1, "l": 0, "o": 0}})

        assert reply["ext"]["timesync"]["ts"] == pytest.approx(1_000_000_000, abs=1000)


async def test_cookies_are_good_for_every_bus_with_the_secret() -> None:
    for secret, kept in ((b"s" * 32, True), (None, False)):
        async with Poller.inside(Bus(secret=secret)) as client:
            cookie = (await client.post('{"channel":"/meta/handshake"}')).cookies["BAYEUX_BROWSER"]
        async with Poller.inside(Bus(secret=secret)) as client:
            response = await client.post('{"channel":"/meta/handshake"}', cookie=f"BAYEUX_BROWSER={cookie}")
        assert ("set-cookie" not in response.headers) is kept


async def test_the_options_say_with_what_secrets_cookies_are_signed() -> None:
    """A secret is rotated: the former goes behind the new one, and out when no browser has its cookies."""
    old, new = "the former secret, of 32 characters", "the present secret, of 32 characters"
    cookie: str | None = None
    set_anew = []
    for secrets in ((old,), (new, old), (new,)):
        async with Poller.inside(Bus(settings=Settings(cookie_secret=secrets))) as client:
            response = await client.post('{"channel":"/meta/handshake"}', cookie=f"BAYEUX_BROWSER={cookie}")
            set_anew.append("set-cookie" in response.headers)
            cookie = response.cookies.get("BAYEUX_BROWSER", cookie)
    assert set_anew == [True, True, False]


async def test_publishing_tells_to_how_many_it_goes() -> None:
    bus = Bus()
    async with Poller.inside(bus) as one, Poller.inside(bus) as two:
        await one.begin()
        await two.begin()
        assert await bus.publish("/a", 1) == 0
        await one.subscribe("/a", "/**")
        await two.subscribe("/a")

        assert await bus.publish("/a", 1) == 2
        assert bus.publish_nowait("/b", 1) == 1


async def test_a_lazy_message_waits_for_another_occasion() -> None:
    bus = Bus()
    bus.channel("/slow", lazy=60)
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a", "/slow")
        poll = asyncio.create_task(client.connect())
        await bus.publish("/a", "lazy", lazy=60)
        await bus.publish("/slow", "lazy too")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(poll), 0.1)

        await bus.publish("/slow", "urgent", lazy=0)
        assert [message.get("data") for message in await poll] == ["lazy", "lazy too", "urgent", None]


def opened() -> Bus:
    """Return a bus that is served on the event loop of the test."""
    bus = Bus()
    bus.open()
    return bus


@pytest.mark.parametrize("channel", ["", "a", "/", "/a/*", "/**", "/a//b", "/" + "a" * 300, "/a?"])
async def test_publishing_to_what_is_no_channel(channel: str) -> None:
    with pytest.raises(ChannelInvalid):
        await opened().publish(channel, 1)


@pytest.mark.parametrize("channel", ["/meta/connect", "/service/x"])
async def test_publishing_to_what_is_not_distributed(channel: str) -> None:
    with pytest.raises(ValueError, match=channel):
        await opened().publish(channel, 1)


@pytest.mark.parametrize("data", [object(), {1j}, "\ud800", {"a": [object()]}])
async def test_publishing_what_has_no_json_form(data: object) -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        with pytest.raises(TypeError):
            await bus.publish("/a", data)
        assert len(await client.send({"channel": "/b", "data": 1})) == 1


@pytest.mark.parametrize("data", [float("nan"), float("inf")])
async def test_numbers_that_json_does_not_have_reach_nobody(data: float) -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/a")
        await bus.publish("/a", data)
        event = (await client.connect())[0]

        assert event["data"] is None


def session_of(bus: Bus, client: Poller) -> Session:
    """Return the session of *client*."""
    session = bus.session(client.id or "")
    assert session is not None
    return session


async def test_delivering_to_one_session() -> None:
    bus = Bus()
    async with Poller.inside(bus) as one, Poller.inside(bus) as two:
        await one.begin()
        await two.begin()
        await two.subscribe("/**")
        bus.deliver(session_of(bus, one), "/private", {"a": 1})
        bus.deliver(session_of(bus, one), "/service/private", 2)
        arrived = await one.connect()

        assert arrived[:2] == [
            {"channel": "/private", "data": {"a": 1}},
            {"channel": "/service/private", "data": 2},
        ]
        assert len(await two.send({"channel": "/service/x", "data": 1})) == 1


async def test_delivering_what_cannot_be() -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()
        session = session_of(bus, client)
        with pytest.raises(ChannelInvalid):
            bus.deliver(session, "/a/*", 1)
        with pytest.raises(TypeError):
            bus.deliver(session, "/a", object())
        with pytest.raises(ValueError, match="/meta/connect"):
            bus.deliver(session, "/meta/connect", 1)  # the client would take it for a reply


async def test_delivering_to_a_session_that_ended() -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()
        session = session_of(bus, client)
        bus.dismiss(session)
        bus.deliver(session, "/a", 1)

        assert session.ended
        assert bus.sessions == 0
        assert (await client.send({"channel": "/a", "data": 1}))[0]["error"].startswith("402:")
        assert bus.statistics().waiting == 0


async def test_a_session_is_its_own_secret() -> None:
    bus = Bus()
    async with Poller.inside(bus) as client:
        await client.begin()

        assert client.id is not None
        assert client.id not in repr(session_of(bus, client))


async def test_closing_answers_what_is_held_and_holds_no_more() -> None:
    bus = Bus(settings=Settings(timeout=30))
    async with Poller.inside(bus) as client:
        await client.begin()
        poll = asyncio.create_task(client.connect())
        while bus.loop.core.sessions[client.id or ""].held is None:
            await asyncio.sleep(0)
        await bus.close()
        await bus.close()

        assert (await asyncio.wait_for(poll, 1))[-1]["successful"]
        assert (await asyncio.wait_for(client.connect(), 1))[-1]["successful"]
