"""Tests mirror the tree: a module has its tests in the file of its name, or in one that the table names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "mirant"
TESTS: Final = ROOT / "tests"

#: Modules whose tests are in a file of another name, both as paths without their ends.
ELSEWHERE: Final = {
    "__main__": "cli/test_serve",
    "bus/carrier": "bus/test_connect",
    "bus/core": "bus/test_lifetime",
    "bus/extension": "extensions/test_breaking",
    "bus/flush": "bus/test_publish",
    "bus/guard": "policy/test_rule_guard",
    "bus/host": "bus/test_lifetime",
    "bus/identity": "services/test_sessions",
    "bus/meta": "bus/test_handshake",
    "bus/parting": "bus/test_dismiss",
    "bus/receive": "bus/test_publish",
    "bus/refusal": "bus/test_publish",
    "bus/session": "bus/test_lifetime",
    "bus/subscribing": "bus/test_subscribe",
    "bus/tick": "bus/test_sockets",
    "cli/load": "load/test_command",
    "cli/options": "cli/test_serve",
    "cli/running": "cli/test_reload",
    "hosts/addresses": "hosts/test_proxies",
    "hosts/asgi/exchange": "hosts/test_polling",
    "hosts/asgi/outflow": "hosts/test_slow_peers",
    "hosts/asgi/scope": "hosts/test_mount",
    "hosts/asgi/server": "hosts/test_mount",
    "hosts/asgi/shared_frames": "hosts/test_asgi_shared_frames",
    "hosts/asgi/stream": "transports/test_eventsource",
    "hosts/asgi/websocket": "hosts/test_sockets",
    "hosts/gate": "hosts/test_cors",
    "hosts/headers": "hosts/test_requests",
    "hosts/loop": "hosts/test_shutdown",
    "hosts/native/application": "hosts/test_native",
    "hosts/native/connection": "hosts/test_native",
    "hosts/native/deadlines": "hosts/test_native_deadlines",
    "hosts/native/exchange": "hosts/test_native",
    "hosts/native/headers": "hosts/test_native",
    "hosts/native/inflow": "hosts/test_native_patience",
    "hosts/native/lane": "hosts/test_native",
    "hosts/native/requests": "hosts/test_native",
    "hosts/native/server": "hosts/test_shutdown",
    "hosts/native/websocket": "hosts/test_native_sockets",
    "hosts/pages": "hosts/test_requests",
    "hosts/rfc6455/frames": "hosts/test_rfc6455",
    "hosts/rfc6455/handshake": "hosts/test_sockets",
    "hosts/server": "hosts/test_shutdown",
    "load/charts": "load/test_reports",
    "load/clock": "load/test_schedule",
    "load/contracts": "load/test_session",
    "load/intake": "load/test_session",
    "load/orders": "load/test_crew",
    "load/plan": "load/test_command",
    "load/report_html": "load/test_reports",
    "load/report_json": "load/test_reports",
    "load/report_page": "load/test_reports",
    "load/report_terminal": "load/test_reports",
    "load/summary": "load/test_reports",
    "load/websocket": "load/test_frames",
    "load/worker": "load/test_command",
    "policy/filters/contract": "policy/filters/test_chain",
    "testing/fault_proxy": "faults/test_fault_proxy",
    "testing/faults": "faults/test_fault_proxy",
    "transports/long_polling": "hosts/test_polling",
    "transports/response": "hosts/test_requests",
    "transports/websocket": "hosts/test_sockets",
}


def modules() -> list[str]:
    """Return the paths of all modules below ``mirant``, without their ends."""
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
