"""P: The fields that a form needs to edit a part of the document, found in the schema itself.

A leaf is one input: its place in the document, how its text is read, and what to say about it. Whatever the
schema gains later becomes a field without a change here.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from routing.document import answers, policies, scalars, services, wire
from routing.document.base import Shorthand

Path = tuple[str, ...]
SEPARATOR: Final = "__"
SHORT_FORM: Final = "exact"  # a part with this key may be written as a text alone
_SPELLINGS: Final = {
    "ca": "CA",
    "cors": "CORS",
    "grpc": "gRPC",
    "ip": "IP",
    "jwks": "JWKS",
    "slo": "SLO",
    "sni": "SNI",
    "tls": "TLS",
    "ttl": "TTL",
    "url": "URL",
    "urls": "URLs",
    "websocket": "WebSocket",
}
_WORDS: Final = (
    wire.Method,
    wire.Host,
    wire.HeaderName,
    wire.SetHeaderName,
    scalars.Name,
    scalars.Scope,
    services.RetryCause,
)
_SCALARS: Final = (str, int, float)


class Kind(StrEnum):
    """How a value is typed and read."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    DURATION = "duration"
    SIZE = "size"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    WORDS = "words"  # a list whose items hold neither spaces nor commas
    LINES = "lines"  # a list, one item a line
    PAIRS = "pairs"  # a mapping, one `name: value` a line
    STRUCTURE = "structure"  # anything else, in the document's own notation


@dataclass(frozen=True, slots=True)
class Leaf:
    """One input of a form. `default` is what holds when it is left empty, as a text for people."""

    path: Path
    kind: Kind
    label: str
    help: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()
    numeric: bool = False  # digits are a number, not a text
    structured: bool = False  # of pairs: a value may be a structure
    required: bool = False  # its part cannot do without it

    @property
    def name(self) -> str:
        """The form field's name, which is also a JavaScript identifier."""
        return SEPARATOR.join(self.path)


def leaves(spec: type[BaseModel], prefix: Path = ()) -> tuple[Leaf, ...]:
    """Every leaf of a part of the schema, in the schema's order; nested parts are walked into."""
    hints = get_type_hints(spec, include_extras=True)
    found: list[Leaf] = []
    for attribute, field in spec.model_fields.items():
        path = (*prefix, field.alias or attribute)
        hint = _without_none(hints[attribute])
        part = _part(hint)
        if part is not None and part.model_config.get("extra") == "allow":
            part = None  # its keys are names that people choose
        found.extend(leaves(part, path) if part else [_leaf(path, hint, field)])
    return tuple(found)


def label(path: Path) -> str:
    """`("limits", "max_body")` → `Limits max body`; abbreviations keep their spelling."""
    words = [_SPELLINGS.get(word, word) for key in path for word in key.split("_")]
    first = words[0] if words[0] in _SPELLINGS.values() else words[0].capitalize()
    return " ".join([first, *words[1:]])


class _Shape(NamedTuple):
    kind: Kind
    choices: tuple[str, ...] = ()
    numeric: bool = False
    structured: bool = False


def _leaf(path: Path, hint: Any, field: FieldInfo) -> Leaf:
    shape = _shape(hint)
    default = field.get_default(call_default_factory=False)
    return Leaf(
        path=path,
        kind=shape.kind,
        label=label(path[1:] if path[0] == "match" else path),
        help=field.description or "",
        default=_shown_default(default, shape.kind),
        choices=shape.choices,
        numeric=shape.numeric,
        structured=shape.structured,
        required=field.is_required(),
    )


def _shape(hint: Any) -> _Shape:
    for scalar, shape in _NAMED:
        if hint == scalar:
            return shape
    bare = _bare(hint)
    if get_origin(bare) is Literal:
        choices = get_args(bare)
        return _Shape(Kind.CHOICE, tuple(map(str, choices)), numeric=all(type(c) is int for c in choices))
    if bare is bool:
        return _Shape(Kind.SWITCH)
    if bare in (int, float):
        return _Shape(Kind.NUMBER, numeric=True)
    if bare is str and not _takes_mappings(hint):
        return _Shape(Kind.TEXT)
    return _collection(hint, bare)


_NAMED: Final = (
    (scalars.Duration, _Shape(Kind.DURATION)),
    (policies.Period, _Shape(Kind.DURATION)),
    (answers.Moment, _Shape(Kind.TEXT)),
    (scalars.Text, _Shape(Kind.LONG_TEXT)),
    (scalars.Size, _Shape(Kind.SIZE, numeric=True)),
    (scalars.Labels, _Shape(Kind.LINES)),
)


def _collection(hint: Any, bare: Any) -> _Shape:
    origin, args = get_origin(bare), get_args(bare)
    if _takes_mappings(hint) or not isinstance(origin, type) or not args:
        return _Shape(Kind.STRUCTURE)
    if issubclass(origin, Mapping):
        part = _part(args[1])
        if part is not None and not issubclass(part, Shorthand):
            return _Shape(Kind.STRUCTURE)  # which has no text that would fit on a line
        values, structured = _alternatives(args[1]), part is not None
        kind = Kind.PAIRS if values or structured else Kind.STRUCTURE
        return _Shape(kind, numeric=values == {int}, structured=structured)
    items = _alternatives(args[0])
    if not items:
        return _Shape(Kind.STRUCTURE)
    is_word = args[0] in _WORDS or get_origin(_bare(args[0])) is Literal or str not in items
    return _Shape(Kind.WORDS if is_word else Kind.LINES, numeric=int in items or float in items)


def _alternatives(hint: Any) -> set[type]:
    """The scalar types that a value may have; nothing if it may be more than a scalar."""
    bare = _bare(hint)
    if get_origin(bare) is Literal:
        return {type(choice) for choice in get_args(bare)}
    options = [_bare(arg) for arg in get_args(bare)] if _is_union(bare) else [bare]
    return set(options) if all(option in _SCALARS for option in options) else set()


def _takes_mappings(hint: Any) -> bool:
    """Whether what the document writes is not the type that the schema reads it into."""
    if get_origin(hint) is not Annotated:
        return False
    schemas = [extra.json_schema for extra in get_args(hint)[1:] if isinstance(extra, WithJsonSchema)]
    return any(
        option.get("type") in ("object", "array") for s in schemas for option in (s or {}).get("anyOf", ())
    )


def _part(hint: Any) -> type[BaseModel] | None:
    bare = _bare(hint)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _bare(hint: Any) -> Any:
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return hint


def _is_union(bare: Any) -> bool:
    return get_origin(bare) in (Union, types.UnionType)


def _without_none(hint: Any) -> Any:
    bare = _bare(hint)
    if not _is_union(bare):
        return hint
    rest = [arg for arg in get_args(bare) if arg is not type(None)]
    return rest[0] if len(rest) == 1 else hint


def _shown_default(default: Any, kind: Kind) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if kind is Kind.DURATION and isinstance(default, int | float):
        return scalars.format_duration(default)
    if kind is Kind.SIZE and isinstance(default, int):
        return scalars.format_size(default)
    if isinstance(default, tuple):
        return " ".join(_shown_default(item, kind) for item in default)
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, int | str) else ""
