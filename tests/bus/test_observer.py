"""Observers are told what happens, each only what it overrides."""

from __future__ import annotations

from mirant.bayeux.channels import Channel
from mirant.bus.contracts import Observer
from mirant.bus.observer import Observers
from mirant.bus.party import Party, Visitor
from mirant.bus.refusal import Refusal
from mirant.bus.session import Ending, Session
from mirant.testing import World


class Diary(Observer):
    """Writes down everything."""

    def __init__(self) -> None:
        self.entries: list[tuple[object, ...]] = []

    def opened(self, session: Session) -> None:
        self.entries.append(("opened", session.label))

    def ended(self, session: Session, ending: Ending) -> None:
        self.entries.append(("ended", session.label, ending))

    def refused(self, party: Party, channel: str | None, refusal: Refusal) -> None:
        self.entries.append(("refused", party.label, channel, refusal.error.text))

    def published(self, channel: Channel, size: int, receivers: int) -> None:
        self.entries.append(("published", channel.name, size, receivers))

    def flushed(self, deliveries: int, frames: int, lag: float) -> None:
        self.entries.append(("flushed", deliveries, frames, lag))

    def dropped(self, session: Session, channel: str, count: int) -> None:
        self.entries.append(("dropped", session.label, channel, count))


def test_an_observer_is_told_of_what_happens_when_it_happens() -> None:
    world = World(max_outbox=40, overflow="drop-newest")
    client = world.polling().enter()
    client.subscribe("/a")
    diary = Diary()
    world.core.observers.add(diary)
    label = client.session.label
    client.say("/meta/unknown")
    world.publish("/a", "first")
    world.publish("/a", "second")
    client.disconnect()
    told = [entry for entry in diary.entries if entry[0] != "flushed"]
    assert told == [
        ("refused", label, "/meta/unknown", "channel_create_denied"),
        ("published", "/a", 31, 1),
        ("published", "/a", 32, 1),
        ("dropped", label, "/a", 1),
        ("ended", label, Ending.DISCONNECTED),
    ]
    assert ("flushed", 2, 0, 0.0) in diary.entries


def test_an_observer_that_wants_to_know_one_thing_is_asked_for_nothing_else() -> None:
    class Doorman(Observer):
        def __init__(self) -> None:
            self.seen = 0

        def opened(self, session: Session) -> None:
            self.seen += 1

    world = World()
    world.core.observers.add(doorman := Doorman())
    world.polling().enter()
    assert doorman.seen == 1
    assert world.core.observers.published == ()


class Listener(Observer):
    """Keeps what is noted, with its own name."""

    def __init__(self, name: str, told: list[tuple[object, ...]]) -> None:
        self.name = name
        self.told = told

    def noted(self, event: str, party: Party | None, facts: dict[str, object]) -> None:
        self.told.append((self.name, event, party, facts))


def test_observers_are_told_in_the_order_in_which_they_came() -> None:
    told: list[tuple[object, ...]] = []
    observers = Observers(Listener("first", told))
    observers.add(Listener("second", told))
    visitor = Visitor(address="192.0.2.1")
    observers.note("door.opened", visitor, by="hand")
    assert told == [
        ("first", "door.opened", visitor, {"by": "hand"}),
        ("second", "door.opened", visitor, {"by": "hand"}),
    ]


def test_an_event_may_be_nobodys() -> None:
    told: list[tuple[object, ...]] = []
    Observers(Listener("only", told)).note("night.fell")
    assert told == [("only", "night.fell", None, {})]


def test_each_bus_has_observers_of_its_own() -> None:
    told: list[tuple[object, ...]] = []
    observers, others = Observers(), Observers()
    observers.add(Listener("only", told))
    others.note("door.opened")
    assert told == []
    assert others.noted == ()
