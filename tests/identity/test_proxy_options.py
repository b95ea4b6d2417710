"""The options about a proxy: what is missing of them."""

from typing import Any

import pytest

from mirant.identity.proxy_options import ProxyOptions
from mirant.options.reading import read_options

PROXY: dict[str, Any] = {"user_header": "X-User", "trusted": ["10.0.0.1"]}


def faults(table: dict[str, Any]) -> list[str]:
    """Return what is said about a *table*, each with its place."""
    return [str(fault) for fault in read_options([ProxyOptions], {"proxy": table})[1]]


def test_without_a_table_proxies_are_off() -> None:
    values, wrong = read_options([ProxyOptions], {})

    assert not wrong
    assert not values[ProxyOptions].enabled


def test_a_whole_table() -> None:
    values, wrong = read_options([ProxyOptions], {"proxy": {**PROXY, "roles_header": "X-Roles"}})

    assert not wrong
    assert values[ProxyOptions].enabled
    assert values[ProxyOptions].roles_header == "X-Roles"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"user_header": "X-User"}, "proxy.trusted: it is missing"),
        ({"trusted": ["10.0.0.1"]}, "proxy.user_header: it is missing"),
        ({**PROXY, "trusted": []}, "proxy.trusted: it is missing"),
        ({"roles_header": "X-Roles"}, "proxy.user_header: it is missing"),
    ],
)
def test_what_is_missing_of_a_proxy(table: dict[str, Any], said: str) -> None:
    assert faults(table)[0].startswith(said)
