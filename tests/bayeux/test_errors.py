"""The table of errors (Bayeux 1.0, section 5.8)."""

import re

from mirant.bayeux import errors
from mirant.bayeux.errors import TABLE, ErrorKind


def test_every_error_is_in_the_table_once() -> None:
    declared = [kind for kind in vars(errors).values() if isinstance(kind, ErrorKind)]
    assert sorted(kind.wire() for kind in declared) == sorted(kind.wire() for kind in TABLE)


def test_no_two_errors_look_alike() -> None:
    assert len({kind.text for kind in TABLE}) == len(TABLE)
    assert len({kind.wire() for kind in TABLE}) == len(TABLE)


def test_an_error_on_the_wire_is_code_argument_and_text() -> None:
    for kind in TABLE:
        assert re.fullmatch(r"[45]\d\d::[a-z_]+", kind.wire())
        assert kind.wire("why") == f"{kind.code}:why:{kind.text}"


def test_every_error_has_a_cause_and_a_remedy_for_a_person() -> None:
    for kind in TABLE:
        assert kind.cause.endswith(".")
        assert kind.remedy.endswith(".")


def test_the_strings_that_clients_compare_are_those_of_the_reference_server() -> None:
    spoken = {kind.wire() for kind in TABLE}
    assert spoken >= {
        "400::channel_missing",
        "402::session_unknown",
        "403::handshake_denied",
        "403::channel_create_denied",
        "403::create_denied",
        "403::publish_denied",
        "403::subscribe_denied",
        "403::subscription_missing",
        "403::subscription_invalid",
        "404::message_deleted",
        "405::channel_invalid",
        "405::message_id_invalid",
    }
