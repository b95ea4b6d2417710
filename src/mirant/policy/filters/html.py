"""``no-scripts`` and ``sanitize``: cleaning the markup in strings with nh3."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import nh3

from mirant.options.declaring import Fault, KeyPath
from mirant.options.quoting import spell
from mirant.options.spelling import nearest
from mirant.policy.filters.contract import Dropped, FilterInvalid
from mirant.policy.filters.strings import rewrite

# How much of one message is parsed as HTML. A parser opens an unclosed element again, with its attributes, in
# each paragraph that follows: 500 "<" in 4 KB take 47 ms and become 1.2 MB. With these limits the worst
# message takes a few milliseconds.
MAX_HTML: Final = 32 * 1024  # characters of all strings that contain "<"
MAX_TAGS: Final = 100  # of "<" in them
MAX_ATTRIBUTES: Final = 100  # of all tags in them
MAX_GROWTH: Final = 4  # times its length, plus _SHORT characters
_SHORT: Final = 1024

# Tags that `no-scripts` allows beside nh3's own list (formatting, links, images, tables). None of them runs
# code by itself. Of their attributes only those below are allowed.
_MEDIA: Final = frozenset({"audio", "figcaption", "figure", "picture", "source", "track", "video"})
_FORMS: Final = frozenset(
    {"button", "fieldset", "form", "input", "label", "legend", "meter", "option", "progress", "select"}
)
_MORE_TAGS: Final = _MEDIA | _FORMS | {"big", "font", "main", "optgroup", "section", "tt"}
_MORE_ATTRIBUTES: Final[Mapping[str, Set[str]]] = {
    "*": {"align", "class", "dir", "role", "tabindex"},
    "audio": {"controls", "loop", "muted", "preload", "src"},
    "button": {"disabled", "type", "value"},
    "font": {"color", "face", "size"},
    "form": {"action", "method"},
    "input": {"checked", "disabled", "max", "maxlength", "min", "placeholder", "step", "type", "value"},
    "meter": {"high", "low", "max", "min", "optimum", "value"},
    "option": {"disabled", "selected", "value"},
    "progress": {"max", "value"},
    "select": {"disabled", "multiple", "size"},
    "source": {"media", "sizes", "src", "type"},
    "track": {"kind", "label", "src", "srclang"},
    "video": {"controls", "height", "loop", "muted", "poster", "preload", "src", "width"},
}

_RUN_CODE: Final = frozenset({"applet", "embed", "math", "object", "script", "svg"})
_LOAD_DOCUMENTS: Final = frozenset({"base", "frame", "frameset", "iframe", "link", "meta", "template"})
# Other parsing rules hold for their content, so one parser may read as text what another reads as markup.
_CHANGE_PARSING: Final = frozenset(
    {"noembed", "noframes", "noscript", "plaintext", "style", "textarea", "title", "xmp"}
)
_DANGEROUS_TAGS: Final = _RUN_CODE | _LOAD_DOCUMENTS | _CHANGE_PARSING
_DANGEROUS_ATTRIBUTES: Final = frozenset({"srcdoc", "style"})
_DANGEROUS_SCHEMES: Final = frozenset({"data", "javascript", "vbscript"})
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_OPTIONS: Final = ("tags", "attributes", "url_schemes")


@dataclass(frozen=True, slots=True)
class Html:
    """Cleans each string and key that contains ``<``. The others cannot hold markup and stay as they are."""

    name: str
    cleaner: nh3.Cleaner = field(compare=False)
    #: What the cleaner was made with: two filters made with the same do the same.
    options: str = field(default="", repr=False)

    def __call__(self, data: Any) -> Any:
        clean = _Cleaning(self.cleaner).clean
        return rewrite(data, clean, clean)


class _Cleaning:
    """The cleaning of one message, and how much more of it may be parsed."""

    __slots__ = ("_attributes", "_cleaner", "_size", "_tags")

    def __init__(self, cleaner: nh3.Cleaner) -> None:
        self._cleaner = cleaner
        self._size = MAX_HTML
        self._tags = MAX_TAGS
        self._attributes = MAX_ATTRIBUTES

    def clean(self, text: str) -> str:
        if "<" not in text:
            return text
        self._size -= len(text)
        self._tags -= text.count("<")
        if self._size < 0 or self._tags < 0:
            raise Dropped("too_much_markup")
        self._attributes -= _count_attributes(text)
        if self._attributes < 0:
            raise Dropped("too_much_markup")
        cleaned = self._cleaner.clean(text)
        if len(cleaned) > MAX_GROWTH * len(text) + _SHORT:
            raise Dropped("too_much_markup")
        return cleaned


_BEGINNING: Final = re.compile(r"<(?=/?[A-Za-z])")
_VALUE: Final = r"""(?:"[^"]*+"|'[^']*+'|[^ \t\n\f\r"'<>=`]++)"""
_ATTRIBUTE: Final = re.compile(
    rf"""[ \t\n\f\r]++[^ \t\n\f\r"'<>/=]++(?:[ \t\n\f\r]*+=[ \t\n\f\r]*+{_VALUE})?+"""
)
_TAG: Final = re.compile(rf"</?[A-Za-z][A-Za-z0-9-]*+(?:{_ATTRIBUTE.pattern})*+[ \t\n\f\r]*+/?>")
_SEPARATOR: Final = re.compile(r"[ \t\n\f\r/=]")


def _count_attributes(text: str) -> int:
    """Return at least as many attributes as a parser finds in the tags of *text*.

    Everything that looks like a tag counts, wherever it stands. After a tag that is not written out, each
    separator in the rest of the text may begin an attribute, and counts as one.
    """
    count = 0
    for beginning in _BEGINNING.finditer(text):
        tag = _TAG.match(text, beginning.start())
        if tag is None:
            return count + len(_SEPARATOR.findall(text, beginning.start()))
        count += len(_ATTRIBUTE.findall(tag[0]))
    return count


def no_scripts() -> Html:
    """Return the filter ``no-scripts``, which removes markup that runs code or loads documents."""
    attributes = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()}
    for tag, names in _MORE_ATTRIBUTES.items():
        attributes.setdefault(tag, set()).update(names)
    return Html("no-scripts", nh3.Cleaner(tags=nh3.ALLOWED_TAGS | _MORE_TAGS, attributes=attributes))


def sanitize() -> Html:
    """Return the filter ``sanitize`` without options: nh3's own lists."""
    return Html("sanitize", nh3.Cleaner())


def read_sanitize(value: object, where: KeyPath, base: Path) -> Html:
    """Return the filter of ``{ sanitize = { tags = ["b"], attributes = { a = ["href"] } } }``."""
    if not isinstance(value, dict):
        sentence = f"sanitize = {spell(value)} should be a table with some of {', '.join(_OPTIONS)}"
        raise FilterInvalid(Fault(where, sentence))
    faults = [Fault((*where, key), _unknown(key)) for key in value if key not in _OPTIONS]
    tags = _read_names(value.get("tags"), (*where, "tags"), _NAME, _DANGEROUS_TAGS, faults)
    schemes = _read_names(
        value.get("url_schemes"), (*where, "url_schemes"), _SCHEME, _DANGEROUS_SCHEMES, faults
    )
    attributes = _read_attributes(value.get("attributes"), (*where, "attributes"), tags, faults)
    if faults:
        raise FilterInvalid(*faults)
    allowed = nh3.ALLOWED_TAGS if tags is None else tags
    name = "sanitize" if tags is None else f"sanitize {' '.join(sorted(tags))}".rstrip()
    kept = sorted((tag, sorted(of)) for tag, of in (attributes or {}).items())
    options = repr([sorted(allowed), attributes is None, kept, schemes and sorted(schemes)])
    return Html(name, nh3.Cleaner(tags=allowed, attributes=attributes, url_schemes=schemes), options)


def _unknown(key: str) -> str:
    close = nearest(key, _OPTIONS)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(_OPTIONS)}"
    return f"sanitize has no option {spell(key)}; {hint}"


def _read_names(
    value: object, where: KeyPath, grammar: re.Pattern[str], dangerous: Set[str], faults: list[Fault]
) -> set[str] | None:
    """Return the names in the list *value*, None for nh3's own. Faults are added to *faults*."""
    if value is None:
        return None
    if not isinstance(value, list):
        faults.append(Fault(where, f"{where[-1]} = {spell(value)} should be a list of names"))
        return None
    names: set[str] = set()
    for index, name in enumerate(value):
        if not isinstance(name, str) or grammar.fullmatch(name) is None:
            faults.append(Fault((*where, index), f"{spell(name)} should be a name in small letters"))
        elif name in dangerous:
            faults.append(Fault((*where, index), f"{name} cannot be allowed: it is not safe; leave it out"))
        else:
            names.add(name)
    return names


def _read_attributes(
    value: object, where: KeyPath, tags: set[str] | None, faults: list[Fault]
) -> dict[str, set[str]] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        example = '{ a = ["href"], "*" = ["title"] }'
        sentence = f"attributes = {spell(value)} should be a table of lists, such as {example}"
        faults.append(Fault(where, sentence))
        return None
    allowed = nh3.ALLOWED_TAGS if tags is None else tags
    attributes: dict[str, set[str]] = {}
    for tag, names in value.items():
        if tag != "*" and tag not in allowed:
            faults.append(Fault((*where, tag), f"the tag {tag} is not allowed: add it to tags"))
        read = _read_names(names, (*where, tag), _NAME, _DANGEROUS_ATTRIBUTES, faults) or set()
        faults += [
            Fault((*where, tag), f"{name} cannot be allowed: it runs code; leave it out")
            for name in sorted(read)
            if name.startswith("on")
        ]
        if "rel" in read:
            faults.append(Fault((*where, tag), "rel cannot be allowed: the filter sets it on links"))
        attributes[tag] = read
    return attributes
