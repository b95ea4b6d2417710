"""Reading declared options: every fault is found, with its place and a remedy."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from mirant.options.declaring import Fault, check_options, option, options_of
from mirant.options.kinds import OptionKind, of_list_text
from mirant.options.reading import OptionValues, Override, fault_of, read_options
from mirant.options.values import SettingsError


def read_word(value: object) -> str:
    """Return a text without blanks."""
    if isinstance(value, str) and value and " " not in value:
        return value
    raise SettingsError("a word")


def read_words(value: object) -> tuple[str, ...]:
    """Return texts without blanks."""
    if isinstance(value, list | tuple):
        return tuple(read_word(item) for item in value)
    raise SettingsError("a list of words")


WORD = OptionKind("a word", read_word)
WORDS = OptionKind("a list of words", read_words, of_list_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Options in two tables, which have to fit each other."""

    host: str | None = option("mail", WORD, "Where it is sent.", default=None)
    sender: str = option("mail", WORD, "Whom it is from.", default="bus", name="from")
    password: str | None = option("mail", WORD, "What the host wants.", default=None, secret=True)
    wait: float = option("retry", "duration", "How long until the next attempt.", default=1.0)
    attempts: int = option("retry", "count", "How many attempts.", default=3)

    def __post_init__(self) -> None:
        check_options(self)
        if self.password is not None and self.host is None:
            raise SettingsError("a password needs a host", options=("host", "password"))
        if self.wait == 0 and self.attempts > 100:
            raise SettingsError("so many attempts need a wait", options=("wait", "attempts"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """Options in one table."""

    colors: tuple[str, ...] = option("paint", WORDS, "The colors.", default=())
    thick: bool = option("paint", "switch", "Whether much of it is used.", default=False)
    max_size: int = option("paint", "size", "Most paint.", default=1)

    def __post_init__(self) -> None:
        check_options(self)
        if self.thick and not self.colors:
            raise SettingsError("thick paint needs colors")


def read(text: str, overrides: Mapping[tuple[str, str], Override] | None = None) -> OptionValues:
    """Return the options in a file that has nothing wrong in it."""
    values, faults = read_options((Mail, Paint), tomllib.loads(text), overrides=overrides)
    assert faults == []
    return values


def wrong(text: str, overrides: Mapping[tuple[str, str], Override] | None = None) -> list[str]:
    """Return what is wrong with a file."""
    _, faults = read_options((Mail, Paint), tomllib.loads(text), elsewhere=("rule",), overrides=overrides)
    return [str(fault) for fault in faults]


def test_options_of_several_classes_come_from_one_file() -> None:
    values = read('[retry]\nwait = "2s"\n[paint]\ncolors = ["red", "blue"]\n[mail]\nhost = "a.example"')

    assert values[Mail] == Mail(host="a.example", wait=2)
    assert values[Paint] == Paint(colors=("red", "blue"))


def test_an_option_may_have_a_name_that_no_attribute_can_have() -> None:
    assert read('[mail]\nfrom = "me"')[Mail].sender == "me"
    assert wrong('[mail]\nsender = "me"') == [
        "mail.sender: 'sender' is not an option in [mail]; there are: from, host, password"
    ]


def test_tables_that_are_read_elsewhere_are_left_alone() -> None:
    assert wrong("[[rule]]\nmatch = 1") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mial]", "mial: 'mial' is not a table; did you mean 'mail'?"),
        ("[MAIL]", "MAIL: 'MAIL' is not a table; did you mean 'mail'?"),
        ("[[rules]]", "rules: 'rules' is not a table; did you mean 'rule'?"),
        ("[zzz]", "zzz: 'zzz' is not a table; there are: mail, paint, retry, rule"),
        ("zzz = 1", "zzz: 'zzz' is not a table; there are: mail, paint, retry, rule"),
        ("mail = 1", "mail: mail should be a table: write [mail] and its options below"),
        ("[[mail]]", "mail: mail should be a table: write [mail] and its options below"),
        ("wait = 1", "wait: 'wait' is not a table; it belongs below [retry]"),
        ("[retry]\nwiat = 1", "retry.wiat: 'wiat' is not an option in [retry]; did you mean 'wait'?"),
        (
            "[paint]\nmax-size = 1",
            "paint.max-size: 'max-size' is not an option in [paint]; did you mean 'max_size'?",
        ),
        ("[mail]\nwait = 1", "mail.wait: 'wait' belongs below [retry], not [mail]"),
        (
            "[mail]\nwaits = 1",
            "mail.waits: 'waits' is not an option in [mail]; did you mean 'wait' below [retry]?",
        ),
        ("[retry]\nzzz = 1", "retry.zzz: 'zzz' is not an option in [retry]; there are: attempts, wait"),
        (
            '[retry]\n"zz z" = 1',
            "retry.\"zz z\": 'zz z' is not an option in [retry]; there are: attempts, wait",
        ),
    ],
)
def test_what_there_is_not_is_told_with_the_nearest_spelling(text: str, said: str) -> None:
    assert wrong(text) == [said]


def test_everything_wrong_is_found() -> None:
    text = '[retry]\nwait = "soon"\nattempts = 0\nattemps = 1\n[paint]\nthick = 1\n[zzz]'

    assert [line.partition(":")[0] for line in wrong(text)] == [
        "retry.wait",
        "retry.attempts",
        "retry.attemps",
        "paint.thick",
        "zzz",
    ]


def test_a_wrong_value_is_quoted_as_far_as_one_needs_to_recognise_it() -> None:
    [said] = wrong(f'[retry]\nattempts = "{"x" * 10_000}"')

    assert said.startswith("retry.attempts: 'xxx")
    assert said.endswith("… should be a whole number from 1")
    assert len(said) < 130


def test_classes_with_faults_have_no_values_and_the_others_do() -> None:
    values, faults = read_options((Mail, Paint), {"retry": {"attempts": 0}})

    assert [fault.path for fault in faults] == [("retry", "attempts")]
    assert values[Paint] == Paint()
    with pytest.raises(KeyError):
        values[Mail]


# --- What does not go together ---


def test_a_conflict_is_found_at_the_first_option_that_it_names_and_the_file_has() -> None:
    assert wrong('[mail]\npassword = "x"') == ["mail.password: a password needs a host"]
    assert wrong("[retry]\nattempts = 101\nwait = 0") == ["retry.wait: so many attempts need a wait"]


def test_a_conflict_that_names_no_option_is_in_their_table() -> None:
    assert wrong("[paint]\nthick = true") == ["paint: thick paint needs colors"]


def test_beside_a_wrong_value_in_the_same_table_a_conflict_may_be_none() -> None:
    assert wrong('[mail]\npassword = "x"\nhost = 1') == ["mail.host: 1 should be a word"]


def test_beside_one_in_another_table_it_is() -> None:
    assert wrong('[mail]\npassword = "x"\n[retry]\nattempts = 0') == [
        "retry.attempts: 0 should be a whole number from 1",
        "mail.password: a password needs a host",
    ]


def test_a_conflict_that_is_found_later_has_its_place_too() -> None:
    error = SettingsError("it cannot be read", options=("sender",))

    assert fault_of(error, Mail) == Fault(("mail", "from"), "it cannot be read")
    overrides = {("mail", "from"): Override("MIRANT_MAIL_FROM", "x")}
    assert str(fault_of(error, Mail, overrides=overrides)) == "MIRANT_MAIL_FROM: it cannot be read"


# --- Overrides ---


def test_an_override_holds_instead_of_the_file() -> None:
    overrides = {
        ("retry", "wait"): Override("MIRANT_RETRY_WAIT", "4s"),
        ("retry", "attempts"): Override("MIRANT_RETRY_ATTEMPTS", 7),
    }

    assert read("[retry]\nwait = 1", overrides)[Mail] == Mail(wait=4, attempts=7)


def test_a_wrong_override_is_told_by_its_variable() -> None:
    overrides = {("retry", "wait"): Override("MIRANT_RETRY_WAIT", "soon")}

    assert wrong("[retry]\nwait = 1", overrides) == [
        "MIRANT_RETRY_WAIT: 'soon' should be a duration such as \"30s\" or a number of seconds"
    ]


def test_a_wrong_value_in_the_file_stays_wrong_when_it_is_overridden() -> None:
    overrides = {("retry", "attempts"): Override("MIRANT_RETRY_ATTEMPTS", 7)}

    assert wrong("[retry]\nattempts = 0", overrides) == ["retry.attempts: 0 should be a whole number from 1"]


def test_a_conflict_with_an_override_is_told_by_its_variable() -> None:
    overrides = {("retry", "wait"): Override("MIRANT_RETRY_WAIT", 0)}

    assert wrong("[retry]\nattempts = 200", overrides) == ["MIRANT_RETRY_WAIT: so many attempts need a wait"]


# --- In code ---


def test_none_is_a_value_only_where_it_is_the_default() -> None:
    assert Mail(host=None).host is None
    with pytest.raises(SettingsError, match=r"^attempts: None should be a whole number from 1"):
        Mail(attempts=None)  # type: ignore[arg-type]  # what is wrong here


def test_spellings_are_for_files() -> None:
    with pytest.raises(SettingsError, match=r"^wait: '2s' should be of its type, float"):
        Mail(wait="2s")  # type: ignore[arg-type]  # what is wrong here


def test_declarations_can_be_read() -> None:
    options = {each.attribute: each for each in options_of(Mail)}

    assert options["sender"].path == ("mail", "from")
    assert options["sender"].variable == "MIRANT_MAIL_FROM"
    assert options["wait"].kind_name == "duration"
    assert options["host"].kind is WORD
    assert all(each.sentence for each in options.values())


# --- Secrets ---

SECRET = "hunter2 and more"


def test_a_secret_is_in_no_message() -> None:
    overrides = {("mail", "password"): Override("MIRANT_MAIL_PASSWORD", SECRET)}

    assert wrong(f'[mail]\npassword = "{SECRET}"') == ["mail.password: this should be a word"]
    assert wrong("", overrides) == ["MIRANT_MAIL_PASSWORD: this should be a word"]
    with pytest.raises(SettingsError, match=r"^password: this should be a word$"):
        Mail(password=SECRET)


def test_a_secret_is_not_shown_with_the_options() -> None:
    assert "hunter2" not in repr(Mail(host="a.example", password="hunter2"))
