"""P: Reading a document: a strict subset of YAML 1.2, or JSON. Hardened against what people paste.

Only mappings with text keys, lists, texts, decimal numbers, true, false and null exist. `no`, `010`,
`12:30` and dates are texts. Aliases, tags, duplicate keys and further documents are refused with
their place. PyYAML's C parser gives the events; its constructors, and their surprises, are not used.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

import yaml

from routing.document.interpolation import MAX_DEPTH
from routing.problems import ConfigurationInvalid, Problem, quote

MAX_CHARACTERS: Final = 64 << 20
_NUMBER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,3999})(\.[0-9]{1,4000})?([eE][-+]?[0-9]{1,3})?")
_CONSTANTS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}
_CONSTANTS_SPELT: Final = {
    spelling: value
    for word, value in _CONSTANTS.items()
    for spelling in (word, word.capitalize(), word.upper())
}
_NUMBER_STARTS: Final = frozenset("+-0123456789")

_Scalar, _MappingStart, _SequenceStart, _Alias = (
    yaml.ScalarEvent,
    yaml.MappingStartEvent,
    yaml.SequenceStartEvent,
    yaml.AliasEvent,
)
_MappingEnd, _SequenceEnd = yaml.MappingEndEvent, yaml.SequenceEndEvent


def parse_text(text: str | bytes, reader: "type[EventReader] | None" = None) -> Any:
    """The value that a YAML or JSON text stands for; a document is a dict. An empty text is `{}`.

    `reader` takes more than the strict subset. Raises ConfigurationInvalid with one problem that names line and column.
    """
    text = _decoded(text)
    if len(text) > MAX_CHARACTERS:
        raise refused(f"the document is larger than {MAX_CHARACTERS >> 20} MB", problem_id="gateway.E033")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return parse_json(text)
        except (ValueError, RecursionError):
            pass  # a YAML flow mapping, or something wrong: the YAML reader says what and where
    try:
        return (reader or EventReader)(text).document()
    except yaml.MarkedYAMLError as error:
        raise refused(_syntax_message(error, text)) from None
    except yaml.YAMLError as error:  # characters that YAML forbids
        raise refused(f"the document cannot be read: {str(error).splitlines()[0]}") from None
    except UnicodeEncodeError:
        raise refused("the document holds half of a surrogate pair") from None


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, where a number that is no finite one is a text. Raises ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=_unique_pairs, parse_constant=_no_constant, parse_float=_finite)


def resolve_plain(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar stands for."""
    if text[:1] in _NUMBER_STARTS and (match := _NUMBER.fullmatch(text)):
        return int(text) if match[1] is None and match[2] is None else _finite(text)
    return _CONSTANTS_SPELT.get(text, text)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if abs(number) < float("inf") else text


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise refused(f"the document is not UTF-8 text (line {line})") from None


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("duplicate key")
    return mapping


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def refused(message: str, *, problem_id: str = "gateway.E001") -> ConfigurationInvalid:
    """One problem without a place in the document: the message has the line."""
    return ConfigurationInvalid([Problem(problem_id, "", message)])


def at(mark: Any) -> str:
    """A place in the text, for people."""
    return f"line {mark.line + 1}, column {mark.column + 1}"


class EventReader:
    """Builds plain values straight from parser events, checking as it goes."""

    __slots__ = ("next",)

    def __init__(self, text: str) -> None:
        # The C parser is all that is used of the loader. Events are not typed in PyYAML.
        self.next: Callable[[], Any] = yaml.CSafeLoader(text).get_event

    def document(self) -> Any:
        self.next()  # start of stream
        if isinstance(self.next(), yaml.StreamEndEvent):
            return {}
        value = self.value(self.next(), 0)
        self.next()  # end of the document
        after = self.next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise refused(f"{at(after.start_mark)}: only one document may be in the text")
        return {} if value is None else value

    def value(self, event: Any, depth: int) -> Any:
        """What begins with this event."""
        kind = type(event)
        if kind is _Alias:
            raise refused(
                f"{at(event.start_mark)}: aliases (*{event.anchor}) are not supported; write it out"
            )
        if event.anchor is not None:
            raise refused(f"{at(event.start_mark)}: anchors (&{event.anchor}) are not supported")
        if event.tag is not None:
            raise refused(f"{at(event.start_mark)}: tags ({event.tag}) are not supported")
        if kind is _Scalar:
            text = event.value
            return resolve_plain(text) if event.implicit[0] else text
        if depth >= MAX_DEPTH:
            raise refused(f"{at(event.start_mark)}: is nested too deeply", problem_id="gateway.E033")
        return self._mapping(depth) if kind is _MappingStart else self._sequence(depth)

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        get = self.next
        while type(event := get()) is not _MappingEnd:
            if type(event) is not _Scalar or event.tag is not None or event.anchor is not None:
                raise refused(f"{at(event.start_mark)}: a key must be a plain text")
            key = event.value
            if key in mapping:
                raise refused(f"{at(event.start_mark)}: the key {quote(key)} is there twice")
            if key == "<<" and event.implicit[0]:
                merged |= self.merged(event, depth)
                continue
            mapping[key] = self.value(get(), depth + 1)
        return {**merged, **mapping} if merged else mapping

    def merged(self, event: Any, depth: int) -> dict[str, Any]:
        """What a merge key brings, whose event this is."""
        raise refused(f"{at(event.start_mark)}: merge keys (<<) are not supported")

    def _sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        get = self.next
        while type(event := get()) is not _SequenceEnd:
            items.append(self.value(event, depth + 1))
        return items


def _syntax_message(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "cannot be read"
    place = "" if mark is None else f"{at(mark)}: "
    hint = ""
    if mark is not None and "cannot start any token" in problem:
        line = text.splitlines()[mark.line : mark.line + 1]
        is_tab = line and line[0][mark.column : mark.column + 1] == "\t"
        hint = "; indent with spaces, not tabs" if is_tab else "; put the text in quotes"
    elif "mapping values are not allowed" in problem:
        hint = '; put a text that contains ": " in quotes'
    return f"{place}{problem}{hint}"
