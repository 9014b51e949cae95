"""P: A part of the document as the texts of a form, and back; what nobody touched comes back as it was written."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from routing.admin.forms.leaves import SHORT_FORM, Kind, Leaf, Path
from routing.document.yaml import parse_text
from routing.problems import ConfigurationInvalid

YES, NO = "yes", "no"
EMPTY_TEXT: Final = '""'
LONGEST_LINE: Final = 80
Texts = Mapping[str, str]
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,15}\.[0-9]{1,15}")
_ABSENT: Final = object()


class BadText(ValueError):  # noqa: N818 - a finding about what somebody typed
    """A text that cannot be read as what its field wants; str(error) says what would do."""


def flatten(entry: Mapping[str, Any], leaves: Sequence[Leaf]) -> dict[str, str]:
    """The text of every leaf; empty where the entry says nothing."""
    return {leaf.name: show(leaf, _get(entry, leaf.path)) for leaf in leaves}


def collect(
    original: Mapping[str, Any], leaves: Sequence[Leaf], texts: Texts
) -> tuple[dict[str, Any], dict[str, str]]:
    """The entry that the texts stand for, and what could not be read, by leaf name.

    A text that is still what `flatten` gave keeps the value as it was written. Sections that became empty go.
    """
    entry = _without(original, leaves)
    faults: dict[str, str] = {}
    for leaf in leaves:
        text = texts.get(leaf.name, "").replace("\r\n", "\n")
        written = _get(original, leaf.path)
        try:
            value = written if text.strip() == show(leaf, written).strip() else read(leaf, text)
        except BadText as fault:
            faults[leaf.name] = str(fault)
            value = text
        if value is not _ABSENT:
            _put(entry, leaf.path, value)
    _fill_required(entry, leaves)
    _keep_empty(entry, original, leaves)
    _shorten(entry, original, leaves)
    return entry, faults


def show(leaf: Leaf, value: Any) -> str:
    """The text that stands for a value as written."""
    if value is _ABSENT:
        return ""
    match leaf.kind, value:
        case _, bool():
            return YES if value else NO
        case ((Kind.TEXT | Kind.LONG_TEXT), ""):
            return EMPTY_TEXT
        case Kind.WORDS, list():
            return " ".join(_show_item(item) for item in value)
        case Kind.LINES, list():
            return "\n".join(_show_item(item) for item in value)
        case Kind.PAIRS, dict():
            return "\n".join(_show_pair(leaf, name, item) for name, item in value.items())
        case _, (str() | int() | float()) if leaf.kind is not Kind.STRUCTURE:
            return str(value)
    return dump(value)


def read(leaf: Leaf, text: str) -> Any:
    """The value that a text stands for; raises BadText."""
    bare = text.strip()
    if not bare:
        return _ABSENT
    match leaf.kind:
        case Kind.LONG_TEXT:
            return "" if bare == EMPTY_TEXT else text
        case Kind.TEXT:
            return "" if bare == EMPTY_TEXT else bare
        case Kind.DURATION:  # a number is refused with the unit that it lacks
            return int(bare) if _INTEGER.fullmatch(bare) else bare
        case Kind.SWITCH:
            return {YES: True, NO: False}.get(bare, bare)
        case Kind.WORDS:
            return [_number(leaf, word) for word in re.split(r"[\s,]+", bare) if word]
        case Kind.LINES:
            return [_number(leaf, line.strip()) for line in bare.split("\n") if line.strip()]
        case Kind.PAIRS:
            return _read_pairs(leaf, bare)
        case Kind.STRUCTURE:
            return parse(bare)
    return _number(leaf, bare)


def dump(value: Any) -> str:
    """A structure in the document's notation, short ones on one line; as JSON where YAML would lose something."""
    is_short = len(repr(value)) < LONGEST_LINE
    text: str = yaml.safe_dump(
        value, default_flow_style=is_short, sort_keys=False, allow_unicode=True, width=10**6
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    try:
        return text if parse(text) == value else json.dumps(value)
    except BadText:
        return json.dumps(value)


def parse(text: str) -> Any:
    """A structure from the document's notation; raises BadText."""
    try:
        return parse_text(text)
    except ConfigurationInvalid as error:
        raise BadText(f"cannot be read: {error.problems[0].message}") from None


def _read_pairs(leaf: Leaf, text: str) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        name, value = _read_pair(line.strip(), number)
        if name in pairs:
            raise BadText(f'line {number}: "{name}" is given twice')
        is_structure = leaf.structured and value.startswith("{")
        pairs[name] = parse(value) if is_structure else _number(leaf, _unquoted(value))
    return pairs


def _read_pair(line: str, number: int) -> tuple[str, str]:
    if line.startswith('"'):
        try:
            name, end = json.JSONDecoder().raw_decode(line)
        except ValueError:
            raise BadText(f"line {number}: the quotes do not end") from None
        rest = line[end:].lstrip()
    else:
        bare, colon, value = line.partition(":")
        name, rest = bare.strip(), colon + value
    if not rest.startswith(":") or not (name or line.startswith('"')):
        raise BadText(f"line {number}: write name: value")
    return name, rest[1:].strip()


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text


def _number(leaf: Leaf, text: str) -> Any:
    if leaf.numeric and _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if leaf.numeric and _DECIMAL.fullmatch(text) else text


def _show_item(item: Any) -> str:
    return item if isinstance(item, str) else dump(item)


def _show_pair(leaf: Leaf, name: Any, value: Any) -> str:
    shown = _quoted(value, '"{' if leaf.structured else '"') if isinstance(value, str) else dump(value)
    shown_name = _quoted(str(name), '"') if ":" not in str(name) and name else json.dumps(name)
    return f"{shown_name}: {shown}".rstrip()


def _quoted(text: str, special: str) -> str:
    """The text, in quotes where it could be misread, as when it begins with something special."""
    plain = text == text.strip() and "\n" not in text and not text.startswith(tuple(special))
    return text if plain else json.dumps(text, ensure_ascii=False)


def _get(entry: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(entry, Mapping):
            return entry if key == SHORT_FORM else _ABSENT
        if key not in entry:
            return _ABSENT
        entry = entry[key]
    # A part that is written in its short form has no keys; a leaf above it does not see it.
    return entry


def _put(entry: dict[str, Any], path: Path, value: Any) -> None:
    for key in path[:-1]:
        entry = entry.setdefault(key, {})
    entry[path[-1]] = value


def _without(original: Mapping[str, Any], leaves: Sequence[Leaf]) -> dict[str, Any]:
    """What no leaf shows, copied down to where leaves begin."""
    tops = {leaf.path[0] for leaf in leaves}
    kept = {key: value for key, value in original.items() if key not in tops}
    for top in tops:
        below = [
            Leaf(leaf.path[1:], leaf.kind, "") for leaf in leaves if leaf.path[0] == top and leaf.path[1:]
        ]
        if below and isinstance(original.get(top), Mapping) and (rest := _without(original[top], below)):
            kept[top] = rest
    return kept


def _fill_required(entry: dict[str, Any], leaves: Sequence[Leaf]) -> None:
    """Where the schema insists on a text that may be empty, leaving the field empty means just that."""
    for leaf in leaves:
        part = _get(entry, leaf.path[:-1])
        if (
            leaf.required
            and leaf.kind is Kind.LONG_TEXT
            and isinstance(part, dict)
            and leaf.path[-1] not in part
        ):
            part[leaf.path[-1]] = ""


def _keep_empty(entry: dict[str, Any], original: Mapping[str, Any], leaves: Sequence[Leaf]) -> None:
    """A section that was written empty stays: in a route it takes the place of a default."""
    parents = {leaf.path[:length] for leaf in leaves for length in range(1, len(leaf.path))}
    for place in sorted(parents, key=len):
        if _get(original, place) == {} and _get(entry, place) is _ABSENT:
            _put(entry, place, {})


def _shorten(entry: dict[str, Any], original: Mapping[str, Any], leaves: Sequence[Leaf]) -> None:
    """`{exact: x}` becomes `x`, as people write it, unless it was written out before."""
    for leaf in leaves:
        *parents, last = leaf.path
        if last != SHORT_FORM or isinstance(_get(original, tuple(parents)), Mapping):
            continue
        part = _get(entry, tuple(parents))
        if isinstance(part, dict) and set(part) == {SHORT_FORM}:
            _put(entry, tuple(parents), part[SHORT_FORM])
