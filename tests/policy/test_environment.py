"""Environment variables: each option has one, it wins over the file, and a slip in its name is told."""

from collections import Counter
from collections.abc import Mapping

import pytest

from mirant import Settings
from mirant.options.declaring import Fault
from mirant.options.reading import known_options, read_options
from mirant.policy.environment import read_environment
from mirant.policy.file import OPTIONS

FILE = {"session": {"timeout": "20s"}, "limits": {"max_body": "8KiB"}}


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings in `FILE` with what *environ* overrides."""
    overrides, faults = read_environment(environ, OPTIONS)
    values, wrong = read_options(OPTIONS, FILE, overrides=overrides)
    assert faults + wrong == []
    return values[Settings]


def wrong(environ: Mapping[str, str]) -> list[Fault]:
    """Return what is wrong with *environ*."""
    overrides, faults = read_environment(environ, OPTIONS)
    return faults + read_options(OPTIONS, {}, overrides=overrides)[1]


def test_variables_override_the_file() -> None:
    settings = read(
        {
            "MIRANT_SESSION_TIMEOUT": "10s",
            "MIRANT_SESSION_INTERVAL": "0.5",
            "MIRANT_LIMITS_MAX_BATCH": "7",
            "MIRANT_DELIVERY_ECHO": "false",
            "MIRANT_DELIVERY_OVERFLOW": "drop-oldest",
            "MIRANT_TRANSPORTS_TRANSPORTS": "websocket, long-polling",
        }
    )

    assert settings == Settings(
        timeout=10,
        interval=0.5,
        max_body=8192,
        max_batch=7,
        echo=False,
        overflow="drop-oldest",
        transports=("websocket", "long-polling"),
    )


def test_every_option_has_a_variable_of_its_own() -> None:
    options = known_options(OPTIONS).values()

    assert len(options) == sum(len(known_options([cls])) for cls in OPTIONS), "two classes declare one option"
    assert [name for name, times in Counter(option.variable for option in options).items() if times > 1] == []


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("MIRANT_SESSION_TIMEOUT", "soon", "'soon' should be a duration"),
        ("MIRANT_SESSION_TIMEOUT", "", "'' should be a duration"),
        ("MIRANT_DELIVERY_ECHO", "yes", "'yes' should be true or false"),
        (
            "MIRANT_SESSION_TIMOUT",
            "1s",
            "no option in [session] has this variable; did you mean MIRANT_SESSION_TIMEOUT?",
        ),
        (
            "MIRANT_PROXY_ZZZ",
            "1",
            "no option in [proxy] has this variable; there are: MIRANT_PROXY_USER_HEADER, ",
        ),
        ("MIRANT_SESION_TIMEOUT", "1s", "no option has this variable; did you mean MIRANT_SESSION_TIMEOUT?"),
    ],
)
def test_what_cannot_be_is_told_by_the_variable(variable: str, text: str, said: str) -> None:
    [fault] = wrong({variable: text})

    assert fault.variable == variable
    assert str(fault).startswith(f"{variable}: {said}")


def test_everything_wrong_is_told_in_an_order_that_stays() -> None:
    environ = {"MIRANT_SESSION_ZZZ": "", "MIRANT_LIMITS_ZZZ": "", "MIRANT_SESSION_TIMEOUT": "x"}

    found = [fault.variable for fault in wrong(environ)]
    assert found == ["MIRANT_LIMITS_ZZZ", "MIRANT_SESSION_ZZZ", "MIRANT_SESSION_TIMEOUT"]


@pytest.mark.parametrize(
    "variable",
    ["PATH", "MIRANT", "MIRANT_PORT", "MIRANT_SERVICE_HOST", "MIRANT_PORT_80_TCP_ADDR", "SESSION_TIMEOUT"],
)
def test_variables_of_others_are_left_alone(variable: str) -> None:
    """Container platforms set MIRANT_SERVICE_HOST and its kin for a service that is called so."""
    assert wrong({variable: "tcp://10.0.0.1:80"}) == []


@pytest.mark.parametrize("variable", ["MIRANT_TOKEN_SECRET", "MIRANT_TOKEN_SECRT", "MIRANT_TOKEN_ZZZ"])
def test_a_secret_is_in_no_message(variable: str) -> None:
    [fault] = wrong({variable: "hunter2"})

    assert fault.variable == variable
    assert "hunter2" not in repr(fault)


@pytest.mark.parametrize("variable", ["MIRANT_CHANNEL_X", "MIRANT_CHANNEL_0_PUBLISH", "MIRANT_CHANNEL_"])
def test_a_rule_in_a_variable_is_told(variable: str) -> None:
    _, faults = read_environment({variable: "anyone"}, OPTIONS, rules=("channel",))

    assert list(map(str, faults)) == [f"{variable}: [[channel]] has no variables: write it in the file"]
