"""Subscriptions that outlive sessions: each is to be asked for, asked for, or granted."""

from mirant.client.subscriptions import WantedSubscriptions


def test_each_is_asked_for_once_in_the_order_in_which_it_was_wanted() -> None:
    wanted = WantedSubscriptions()
    for name in ("/b", "/a", "/b"):
        wanted.want(name)
    assert wanted.has_new
    assert wanted.take_new() == ["/b", "/a"]
    wanted.want("/a")

    assert wanted.take_new() == []
    settled = [wanted.is_settled]
    for name in ("/a", "/b"):
        wanted.grant(name)
        settled.append(wanted.is_settled)
    assert settled == [False, False, True]
    assert wanted.granted == {"/a", "/b"}


def test_what_got_no_reply_is_asked_for_again() -> None:
    wanted = WantedSubscriptions()
    for name in ("/a", "/b", "/c"):
        wanted.want(name)
    wanted.take_new()
    wanted.grant("/b")
    wanted.ask_again("/c")
    assert wanted.take_new() == ["/c"]
    wanted.ask_again()

    assert wanted.take_new() == ["/a", "/c"]


def test_a_new_session_begins_with_what_was_granted() -> None:
    wanted = WantedSubscriptions()
    wanted.want("/granted")
    wanted.want("/refused")
    wanted.take_new()
    wanted.grant("/granted")
    wanted.refuse("/refused")
    wanted.want("/new")
    wanted.begin_again()

    assert wanted.take_new() == ["/granted", "/new"]
    assert wanted.granted == frozenset()


def test_the_server_is_told_of_what_it_may_know() -> None:
    wanted = WantedSubscriptions()
    wanted.want("/new")
    assert not wanted.drop("/new")
    wanted.want("/asked")
    wanted.take_new()
    assert wanted.drop("/asked")
    assert not wanted.drop("/asked")
    wanted.grant("/asked")

    assert wanted.granted == frozenset()
    assert wanted.is_settled
