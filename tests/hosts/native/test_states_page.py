"""The page of states says what the tables do."""

from pathlib import Path

from mirant.hosts.native.states import Label, Row
from mirant.hosts.native.states_page import MACHINES, Machine, states_page

PATH = Path(__file__).parents[3] / "docs" / "states.md"


class Light(Label):
    """The states of a lamp."""

    DARK = "It gives no light."
    BRIGHT = "It does."


class Switch(Label):
    """What happens to a lamp."""

    PRESS = "somebody presses the switch"


LAMP = Machine("A lamp", Light, Switch, (Row(Light.DARK, Switch.PRESS, Light.BRIGHT, "It is a lamp."),))


def test_the_page_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == states_page(), (
        "run: python -m mirant.hosts.native.states_page > docs/states.md"
    )


def test_a_machine_is_drawn_and_its_rows_are_listed() -> None:
    page = states_page([LAMP]).splitlines()

    assert page[page.index("stateDiagram-v2") :][:4] == [
        "stateDiagram-v2",
        "    [*] --> DARK",
        "    DARK --> BRIGHT: PRESS",
        "```",
    ]
    assert "| `DARK` | It gives no light. |" in page
    assert "| `PRESS` | somebody presses the switch |" in page
    assert "| `DARK` | `PRESS` | `BRIGHT` | It is a lamp. |" in page


def test_every_machine_is_on_the_page() -> None:
    page = PATH.read_text(encoding="utf-8")
    for machine in MACHINES:
        assert f"## {machine.title}\n" in page
        for label in (*machine.states, *machine.events):
            assert f"| `{label.name}` | {label.value} |" in page
