"""What is left of the past after the files were read again: nothing that they do not allow any more."""

from pathlib import Path

import msgspec
import pytest

from mirant import Bus, SettingsError
from mirant.bayeux.channels import Channel
from mirant.bayeux.messages import Message
from mirant.bus.party import Visitor
from mirant.bus.refusal import Refusal
from mirant.policy.file import PolicyFile
from tests.hosts.clients import Poller

OPEN = """
[[channel]]
match = "/**"
subscribe = "anyone"
publish = "anyone"
"""
CHAT = f"""{OPEN}
[[channel]]
match = "/chat/*"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a policy file with which /chat/* keeps three messages."""
    path = tmp_path / "mirant.toml"
    path.write_text(CHAT + "history = 3")
    return path


async def talked(config: Path) -> Bus:
    """Return a bus with three messages in the history of /chat/a, one of them with markup."""
    bus = Bus(config, environ={})
    bus.open()
    for text in ("1", "<b>2</b>", "3"):
        await bus.publish("/chat/a", text)
    assert bus.history("/chat/a") == ["1", "<b>2</b>", "3"]
    return bus


def rewrite(config: Path, rules: str) -> None:
    """Let *rules* stand in the policy file."""
    config.write_text(rules)


def write_schema(config: Path, schema: str) -> None:
    """Write *schema* into chat.json, beside the policy file."""
    (config.parent / "chat.json").write_text(schema)


def reload(bus: Bus, config: Path, rules: str) -> None:
    """Put *rules* in force."""
    config.write_text(rules)
    bus.reload()


async def past_of(bus: Bus, channel: str) -> list[object]:
    """Return what a client gets that asks for the past of *channel*."""
    async with Poller.inside(bus) as client:
        await client.begin()
        message = {"channel": "/meta/subscribe", "subscription": channel, "ext": {"history": 10}}
        return [each["data"] for each in await client.send(message) if "data" in each]


async def test_the_history_of_a_channel_that_keeps_none_any_more_is_gone(config: Path) -> None:
    bus = await talked(config)
    reload(bus, config, CHAT)
    assert bus.history("/chat/a") == []
    assert await past_of(bus, "/chat/a") == []


async def test_the_history_of_a_channel_that_keeps_less_is_no_longer_than_that(config: Path) -> None:
    bus = await talked(config)
    reload(bus, config, CHAT + "history = 1")
    assert len(bus.history("/chat/a")) <= 1
    assert len(await past_of(bus, "/chat/a")) <= 1


@pytest.mark.parametrize("filters", ['["no-markup"]', "[{ size = 4 }]"])
async def test_what_was_kept_before_a_filter_came_is_not_given_out_past_it(
    config: Path, filters: str
) -> None:
    bus = await talked(config)
    reload(bus, config, CHAT + f"history = 3\nfilters = {filters}")
    assert "<b>2</b>" not in bus.history("/chat/a")
    assert "<b>2</b>" not in await past_of(bus, "/chat/a")


async def test_history_that_was_gone_does_not_come_back_with_the_former_rules(config: Path) -> None:
    bus = await talked(config)
    reload(bus, config, CHAT)
    reload(bus, config, CHAT + "history = 3")
    assert bus.history("/chat/a") == []


FILTERS = [
    '["no-markup"]',
    '["no-scripts"]',
    '["sanitize"]',
    '[{ sanitize = { tags = ["b", "a"], attributes = { a = ["href"] }, url_schemes = ["https"] } }]',
    "[{ size = 40 }]",
    '[{ regex = [["[fF].ck", "dang"]] }]',
    '[{ schema = "chat.json" }]',
    '[{ only-fields = ["text"] }, { size = 100 }]',
]


@pytest.mark.parametrize("filters", [None, *FILTERS])
async def test_what_the_rules_still_keep_stays(config: Path, filters: str | None) -> None:
    write_schema(config, '{"type": "object"}')
    rules = CHAT + "history = 3" + ("" if filters is None else f"\nfilters = {filters}")
    rewrite(config, rules)
    bus = Bus(config, environ={})
    bus.open()
    for text in "abc":
        await bus.publish("/chat/a", {"text": text})
    reload(bus, config, rules + '\n[session]\ntimeout = "7s"\n')
    assert bus.history("/chat/a") == [{"text": text} for text in "abc"]
    assert len(await past_of(bus, "/chat/a")) == 3


async def test_a_schema_that_changed_in_its_file_is_another_filter(config: Path) -> None:
    write_schema(config, '{"type": "object"}')
    rules = CHAT + 'history = 3\nfilters = [{ schema = "chat.json" }]'
    rewrite(config, rules)
    bus = Bus(config, environ={})
    bus.open()
    await bus.publish("/chat/a", {"text": "a"})
    write_schema(config, '{"type": "object", "required": ["user"]}')
    bus.reload()
    assert bus.history("/chat/a") == []


async def test_other_options_of_a_filter_make_it_another_one(config: Path) -> None:
    rules = CHAT + "history = 3\nfilters = [{ sanitize = { tags = ['b'], url_schemes = ['https'] } }]"
    rewrite(config, rules)
    bus = Bus(config, environ={})
    bus.open()
    await bus.publish("/chat/a", "a")
    reload(bus, config, rules.replace("https", "http"))
    assert bus.history("/chat/a") == []


# --- A file that somebody writes, or that was cut off ---


@pytest.fixture
async def bus(config: Path) -> Bus:
    bus = Bus(config, environ={})
    bus.open()
    return bus


def can_publish(bus: Bus) -> bool:
    """Whether the rules that are in force let anybody publish."""
    guard = bus.loop.core.guard
    assert guard is not None
    try:
        guard.publish(Visitor(), Channel.parse("/a"), Message(data=msgspec.Raw(b"1")), 0.0)
    except Refusal:
        return False
    return True


async def test_a_reload_says_how_many_rules_there_were_and_are_and_what_was_revoked(
    bus: Bus, config: Path
) -> None:
    async with Poller.inside(bus) as client:
        await client.begin()
        await client.subscribe("/news/**")
        await client.subscribe("/chat/a")
        rewrite(config, '[[channel]]\nmatch = "/chat/*"\nsubscribe = "anyone"\n')
        reloaded = bus.reload()
    assert (reloaded.rules_before, reloaded.rules, reloaded.revoked) == (2, 1, 1)
    assert str(reloaded) == "Rules: 2 before, 1 now. Subscriptions revoked: 1."


@pytest.mark.parametrize("left", ["", "\n", "# rules follow\n", '[session]\ntimeout = "9s"\n'])
async def test_a_file_without_rules_takes_no_rules_away(bus: Bus, config: Path, left: str) -> None:
    rewrite(config, left)
    with pytest.raises(SettingsError, match="no rules, and 2 are in force"):
        bus.reload()
    assert can_publish(bus)
    assert bus.settings.timeout != 9


async def test_a_rule_that_allows_nobody_allows_nothing(bus: Bus, config: Path) -> None:
    rewrite(config, '[[channel]]\nmatch = "/**"\nsubscribe = []\npublish = []\n')
    assert bus.reload().rules == 1
    assert not can_publish(bus)


async def test_a_bus_that_had_no_rules_may_go_on_without(tmp_path: Path) -> None:
    path = tmp_path / "mirant.toml"
    path.write_text('[session]\ntimeout = "8s"\n')
    bus = Bus(path, environ={})
    bus.open()
    path.write_text('[session]\ntimeout = "9s"\n')
    assert bus.reload().rules == 0
    assert bus.settings.timeout == 9


async def test_a_file_that_is_written_while_it_is_read_is_not_put_in_force(
    bus: Bus, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = f"{OPEN}\n[[channel]]\nmatch = '/secret'\npublish = []\n"
    rewrite(config, OPEN)
    read = PolicyFile.read

    def read_slowly(self: PolicyFile) -> object:
        found = read(self)
        config.write_text(whole)  # the rest arrives
        return found

    monkeypatch.setattr(PolicyFile, "read", read_slowly)
    with pytest.raises(SettingsError, match="changed while it was read"):
        bus.reload()
    monkeypatch.undo()
    assert bus.reload().rules == 2
