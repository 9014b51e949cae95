"""P: Scalars of the document: durations, sizes, names, numbers, selectors; each with its JSON Schema."""

import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from ipaddress import ip_network
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainValidator, StrictBool, StrictFloat, StrictInt, StrictStr
from pydantic import WithJsonSchema as JsonSchema

from routing.document.base import refusal
from routing.document.interpolation import Filled
from routing.problems import did_you_mean, quote

NAME_PATTERN: Final = "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$"
SCOPE_PATTERN: Final = r"^[!#-+\--\[\]-~]{1,200}$"
LONGEST_ROLE: Final = 150  # as Django's groups
MAX_DURATION_S: Final = 366 * 86400.0
MAX_SIZE: Final = 2**50
MAX_TEXT: Final = 1 << 20
LONGEST_LABEL: Final = 1000
_NAME: Final = re.compile(NAME_PATTERN[:-1])
_SCOPE: Final = re.compile(SCOPE_PATTERN[1:-1])
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?(B|KB|MB|GB|KiB|MiB|GiB)", re.IGNORECASE)
_UNIT_BYTES: Final = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_MEDIA_TYPE: Final = re.compile(r"[!#$&^_.+a-z0-9-]{1,127}/(?:[!#$&^_.+a-z0-9-]{1,127}|\*)")
FILLABLE: Final = r"\$\{"


def parse_duration(value: object) -> float:
    """`250ms`, `2s`, `1.5m`, `1h`, `1d` → seconds, above 0."""
    if type(value) is float and 0 < value <= MAX_DURATION_S:
        return value  # a default of the schema
    if isinstance(value, int) and not isinstance(value, bool):
        raise refusal(
            "gateway.E007", f'must be a duration with a unit, such as "{value}s", not {quote(value)}'
        )
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refusal("gateway.E007", f"{quote(value)} is not a duration such as 250ms, 2s, 5m, 1h or 1d")
    seconds = float(match[1]) * _UNIT_S[match[2]]
    if not 0 < seconds <= MAX_DURATION_S:
        raise refusal("gateway.E007", f"must be longer than 0 and at most 366d, not {quote(value)}")
    return seconds


def format_duration(seconds: float) -> str:
    """Seconds as a document has them: `25ms`, `30s`, `1.5s`, `5m`."""
    if seconds < 1:
        return f"{_plain(seconds * 1000)}ms"
    for unit in ("d", "h", "m"):
        if seconds % _UNIT_S[unit] == 0 and seconds > _UNIT_S[unit]:
            return f"{_plain(seconds / _UNIT_S[unit])}{unit}"
    return f"{_plain(seconds)}s"


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def parse_size(value: object) -> int:
    """`64KB`, `10MB`, `1GB` (powers of 1024) or a plain number of bytes → bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        match = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise refusal("gateway.E008", f"{quote(value)} is not a size such as 64KB, 10MB or 1GB")
        size = int(float(match[1]) * _UNIT_BYTES[match[2].lower().replace("ib", "b")])
    if not 0 <= size <= MAX_SIZE:
        raise refusal("gateway.E008", f"must be between 0 and 1048576GB, not {quote(value)}")
    return size


def format_size(size: int) -> str:
    """Bytes as a document has them: `64KB`, `1MB`, `1500`."""
    for unit in ("gb", "mb", "kb"):
        if size and size % _UNIT_BYTES[unit] == 0:
            return f"{size // _UNIT_BYTES[unit]}{unit.upper()}"
    return str(size)


def parse_name(value: object) -> str:
    """A name of a service, route, quota and so on."""
    if not isinstance(value, str):
        raise refusal("gateway.E004", f"must be a text, not {quote(value)}")
    if not _NAME.fullmatch(value):
        raise refusal(
            "gateway.E009",
            f"{quote(value)} is not a name: up to 100 letters, digits, -, _ and ., beginning with a letter or digit",
        )
    return str(value)


def parse_scope(value: object) -> str:
    """A scope (RFC 6749 section 3.3) without commas, which separate scopes in forms."""
    if not isinstance(value, str):
        raise refusal("gateway.E004", f"must be a text, not {quote(value)}")
    if not _SCOPE.fullmatch(value):
        several = " ".join(re.split(r"[\s,]+", value.strip()))
        hint = f"; say [{', '.join(several.split())}]" if " " in several and several.isascii() else ""
        raise refusal(
            "gateway.E038",
            f"{quote(value)} is not a scope: up to 200 ASCII characters without spaces, commas and quotes{hint}",
        )
    return str(value)


def parse_role(value: object) -> str:
    """A role, which is also the name of a Django group."""
    if not isinstance(value, str):
        raise refusal("gateway.E004", f"must be a text, not {quote(value)}")
    if not (0 < len(value) <= LONGEST_ROLE and value.isprintable() and value == value.strip()):
        raise refusal(
            "gateway.E038",
            f"{quote(value)} is not a role: up to {LONGEST_ROLE} printable characters, no spaces around them",
        )
    return str(value)


def parse_labels(value: object) -> tuple[str, ...]:
    """One text or a list of them."""
    items = value if isinstance(value, list | tuple) else (value,)
    for item in items:
        if not isinstance(item, str):
            raise refusal("gateway.E004", f"must be a text or a list of texts, not {quote(item)}")
        if not 0 < len(item) <= LONGEST_LABEL:
            raise refusal("gateway.E038", "must not be empty, nor longer than 1000 characters")
    if not items:
        raise refusal("gateway.E038", "must name at least one")
    return tuple(map(str, items))


def parse_media_type(value: object) -> str:
    """A media type in lower case, without parameters; the subtype may be `*` (RFC 9110 section 8.3.1)."""
    if not isinstance(value, str) or not _MEDIA_TYPE.fullmatch(value):
        raise refusal("gateway.E038", f"{quote(value)} is not a media type such as image/png or image/*")
    return str(value)


def parse_network(value: object) -> str:
    """An address or a network in CIDR notation, in its standard spelling."""
    text = value if isinstance(value, str) else ""
    with suppress(ValueError):
        return str(ip_network(text))
    hint = ""
    with suppress(ValueError):
        hint = f'; say "{ip_network(text, strict=False)}"'
    raise refusal("gateway.E035", f"{quote(value)} is not an address or a network such as 10.0.0.0/8{hint}")


def number_from_environment(value: object) -> object:
    """`${VAR}` as the value of a number or boolean: the text that came from the environment, read."""
    if not isinstance(value, Filled):
        return value
    if value in ("true", "false"):
        return value == "true"
    return int(value) if re.fullmatch(r"-?[0-9]{1,18}", value) else value


def selector(*, plain: Iterable[str], keyed: Iterable[str]) -> Callable[[object], str]:
    """Reads `ip` or `{header: x-user-id}`; the result is `ip` or `header:x-user-id`."""
    plain, keyed = tuple(plain), tuple(keyed)
    possible = ", ".join([*(f"{{{name}: …}}" for name in keyed), *plain])

    def parse(value: object) -> str:
        if isinstance(value, str):
            if value in plain:
                return str(value)
            raise refusal(
                "gateway.E005", f"{quote(value)} is not one of {possible}{did_you_mean(value, plain)}"
            )
        if isinstance(value, dict) and len(value) == 1:
            [(name, argument)] = value.items()
            if name in keyed and isinstance(argument, str) and argument.strip():
                return f"{name}:{argument}"
            if name in plain and argument is True:
                return str(name)
        raise refusal("gateway.E005", f"must be one of {possible}, not {quote(value)}")

    return parse


def selector_schema(*, plain: Collection[str], keyed: Iterable[str]) -> dict[str, Any]:
    """The JSON Schema of a selector."""
    objects = [
        {
            "type": "object",
            "properties": {k: {"type": "string"}},
            "required": [k],
            "additionalProperties": False,
        }
        for k in keyed
    ]
    words = [{"type": "string", "enum": list(plain)}] if plain else []
    return {"anyOf": [*words, *objects]}


Duration = Annotated[
    float,
    PlainValidator(parse_duration),
    JsonSchema(
        {
            "type": "string",
            "pattern": rf"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$|{FILLABLE}",
            "examples": ["250ms", "30s"],
        }
    ),
]
Size = Annotated[
    int,
    PlainValidator(parse_size),
    JsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)? ?([KMGkmg][iI]?)?[Bb]$|{FILLABLE}"},
                {"type": "integer", "minimum": 0},
            ],
            "examples": ["64KB", "10MB"],
        }
    ),
]
Name = Annotated[
    str,
    PlainValidator(parse_name),
    JsonSchema({"type": "string", "pattern": rf"{NAME_PATTERN}|{FILLABLE}", "examples": ["orders"]}),
]
Scope = Annotated[
    str,
    PlainValidator(parse_scope),
    JsonSchema(
        {"type": "string", "pattern": rf"{SCOPE_PATTERN}|{FILLABLE}", "examples": ["read", "orders:write"]}
    ),
]
Role = Annotated[
    str,
    PlainValidator(parse_role),
    JsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_ROLE, "examples": ["analyst"]}),
]
Labels = Annotated[
    tuple[str, ...],
    PlainValidator(parse_labels),
    JsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
MediaType = Annotated[
    str,
    PlainValidator(parse_media_type),
    JsonSchema({"type": "string", "examples": ["image/png", "image/*"]}),
]
Network = Annotated[
    str, PlainValidator(parse_network), JsonSchema({"type": "string", "examples": ["10.0.0.0/8", "::1"]})
]
Text = Annotated[StrictStr, Field(max_length=MAX_TEXT)]
Label = Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_LABEL)]

# Columns of the database: these never come from the environment.
Bool = StrictBool
Int = StrictInt

# Inside policies a number or boolean may be `${VAR}`.
_from_environment = BeforeValidator(number_from_environment)
FillableBool = Annotated[
    StrictBool,
    _from_environment,
    JsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": FILLABLE}]}),
]
Count = Annotated[
    StrictInt,
    Field(ge=0, le=10**9),
    _from_environment,
    JsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": FILLABLE}]}),
]
Positive = Annotated[
    StrictInt,
    Field(ge=1, le=10**9),
    _from_environment,
    JsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": FILLABLE}]}),
]
Status = Annotated[StrictInt, Field(ge=200, le=599)]
Port = Annotated[StrictInt, Field(ge=1, le=65535)]
Percent = Annotated[StrictFloat, Field(ge=0, le=100)]
Ratio = Annotated[StrictFloat, Field(ge=0, le=1)]
