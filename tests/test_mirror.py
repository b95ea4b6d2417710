"""Tests mirror the tree: each module has a test file of its name, or a line in the table names another."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "mirant"
TESTS: Final = ROOT / "tests"

#: Modules without a test file of their name, and the file that tests them. Both are paths without suffixes.
#: Here are contracts, values, and parts of a command that is tested as a whole.
ELSEWHERE: Final = {
    "__main__": "cli/test_serve",
    "bus/batch": "bus/test_outbox",
    "bus/carrier": "bus/test_links",
    "bus/clock": "bus/test_beat",
    "bus/contracts": "engines/test_memory",
    "bus/core": "bus/test_sessions",
    "bus/disconnecting": "bus/test_sessions",
    "bus/dropped": "bus/test_outbox",
    "bus/extension": "bus/test_receive",
    "bus/flushing": "bus/test_deliveries",
    "bus/handling": "bus/test_receive",
    "bus/identity": "services/test_sessions",
    "bus/in_force": "bus/test_traits",
    "bus/parts": "bus/test_sessions",
    "bus/party": "bus/test_observer",
    "bus/refusal": "bus/test_receive",
    "bus/request": "bus/test_binding",
    "bus/retention": "extensions/test_ack_record",
    "bus/session": "bus/test_sessions",
    "bus/veto": "bus/test_dismiss",
    "cli/load": "load/test_command",
    "cli/options": "cli/test_serve",
    "cli/running": "cli/test_reload",
    "client/events": "client/test_protocol",
    "hosts/native/connection_life": "hosts/native/test_connection",
    "hosts/native/connection_states": "hosts/native/test_states",
    "hosts/native/websocket_life": "hosts/native/test_websocket",
    "hosts/native/websocket_states": "hosts/native/test_states",
    "load/contracts": "load/test_client",
    "load/orders": "load/test_crew",
    "load/plan": "load/test_command",
    "load/report_html": "load/test_reports",
    "load/report_json": "load/test_reports",
    "load/report_page": "load/test_reports",
    "load/report_terminal": "load/test_reports",
    "load/summary": "load/test_reports",
    "load/worker": "load/test_command",
    "policy/filters/contract": "policy/filters/test_chain",
    "transports/response": "hosts/test_requests",
}


def modules() -> list[str]:
    """Return the paths of all modules below ``mirant``, without suffixes."""
    files = (path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
    return sorted(path.relative_to(SOURCE).with_suffix("").as_posix() for path in files)


def mirrored(module: str) -> Path:
    """Return where the tests of *module* are if they mirror the tree."""
    folder, _, name = module.rpartition("/")
    return TESTS / folder / f"test_{name}.py"


@pytest.mark.parametrize("module", modules())
def test_a_module_has_a_test_file_of_its_name_or_a_place_in_the_table(module: str) -> None:
    assert mirrored(module).is_file() or module in ELSEWHERE, (
        f"write {mirrored(module).relative_to(ROOT)}, or name another file in {Path(__file__).name}"
    )


@pytest.mark.parametrize("module", ELSEWHERE)
def test_the_table_is_about_modules_without_a_file_of_their_name(module: str) -> None:
    assert (SOURCE / f"{module}.py").is_file(), "there is no such module: remove its line"
    assert not mirrored(module).is_file(), "the module has a test file of its name: remove its line"


@pytest.mark.parametrize("named", sorted(set(ELSEWHERE.values())))
def test_a_file_in_the_table_exists_and_has_tests(named: str) -> None:
    assert "def test_" in (TESTS / f"{named}.py").read_text("utf-8")


def test_the_tree_was_found() -> None:
    assert len(modules()) > 100
