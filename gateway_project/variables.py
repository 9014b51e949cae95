"""P: How one environment variable is declared, and the parsers of their texts.

A parser takes a non-empty text and returns the value, or raises ValueError with a message that continues
"NAME: …". Parsers never put a text into a message that may hold a password.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic_core import PydanticCustomError

from routing.azure import MANY_TENANTS
from routing.document.origins import parse_origin

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Parse = Callable[[str], Any]

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
SECONDS_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


class Secret(str):
    """Text that must not be shown: `repr` masks it, so logs and tracebacks that print values stay clean."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')" if self else "Secret('')"


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the table: names (the first wins), parser, default text, value when there is none."""

    names: tuple[str, ...]
    parse: Parse
    default: str
    default_in: Mapping[str, str]
    absent: Any

    def default_for(self, environment: str) -> str:
        return self.default_in.get(environment, self.default)

    def given(self, environ: Mapping[str, str]) -> tuple[str, str] | None:
        """(name, text) of the first name that is set; empty counts as not set, as in Compose files."""
        for name in self.names:
            if text := environ.get(name, "").strip():
                return name, text
        return None


def variable(
    parse: Parse,
    *names: str,
    default: str = "",
    default_in: Mapping[str, str] = MappingProxyType({}),
    absent: Any = None,
) -> Any:
    """A dataclass field that is read from the environment."""
    return field(metadata={"variable": Variable(names, parse, default, default_in, absent)})


def text(value: str) -> str:
    return value


def azure_tenant(value: str) -> str:
    """A tenant's id or domain."""
    if value.lower() in MANY_TENANTS:
        raise ValueError(f"{value!r} stands for many tenants; name one, by its id or its domain")
    if not re.fullmatch(r"[A-Za-z0-9.-]+", value):
        raise ValueError(f"{value!r} is neither a tenant's id nor its domain")
    return value


def label(value: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{1,100}", value):
        raise ValueError("want at most 100 printable ASCII characters")
    return value


def host(value: str) -> str:
    """An address or a host name; an IPv6 address with or without its brackets."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+", value):
        raise ValueError(f"{value!r} is not an address or a host name")
    return value.strip("[]")


def secret(value: str) -> Secret:
    return Secret(value)


def boolean(value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def integer(minimum: int, maximum: int = 2**31 - 1) -> Parse:
    """A whole number within bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise ValueError(f"{value!r} is not a whole number")
        number = int(value)
        if not minimum <= number <= maximum:
            raise ValueError(f"{number} is not between {minimum} and {maximum}")
        return number

    return parse


def share(value: str) -> float:
    """A number from 0 to 1, in digits."""
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", value) or float(value) > 1:
        raise ValueError(f"{value!r} is not a number from 0 to 1")
    return float(value)


def one_of(*choices: str, upper: bool = False) -> Parse:
    """One of the given words, in any case."""

    def parse(value: str) -> str:
        word = value.upper() if upper else value.lower()
        by_folded = {choice.upper() if upper else choice.lower(): choice for choice in choices}
        if word not in by_folded:
            raise ValueError(f"{value!r} is none of {', '.join(choices)}")
        return by_folded[word]

    return parse


def duration_s(value: str) -> float:
    """`250ms`, `2s`, `5m`, `1h`, `1d`, or bare seconds; in seconds."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h|d|)", value)
    if match is None or float(match[1]) == 0:
        raise ValueError(f"{value!r} is not a duration such as 250ms, 2s or 5m")
    return float(match[1]) * SECONDS_PER_UNIT[match[2]]


def items(parse_item: Parse) -> Parse:
    """A list: comma-separated, or a JSON array of strings."""

    def parse(value: str) -> tuple[Any, ...]:
        return tuple(parse_item(item) for item in _split(value))

    return parse


def _split(value: str) -> list[str]:
    if value.startswith("["):
        try:
            entries = json.loads(value)
        except ValueError:
            pass  # "[::1],localhost" is a comma list that begins with an IPv6 literal
        else:
            return [str(entry).strip() for entry in entries]
    return [entry for entry in (part.strip() for part in value.split(",")) if entry]


def pairs(value: str) -> tuple[tuple[str, Secret], ...]:
    """`name=value,name=value` with percent-encoded values, as OpenTelemetry writes header fields and attributes."""
    found = []
    for part in _split(value):
        name, sign, given = part.partition("=")
        if not sign or not re.fullmatch(r"[!-~]+", name.strip()):
            raise ValueError("want name=value, and commas between several")
        found.append((unquote(name.strip()), Secret(unquote(given.strip()))))
    return tuple(found)


def allowed_host(value: str) -> str:
    """A host as Django's ALLOWED_HOSTS has it; `*.example.com` is understood as `.example.com`."""
    host = value.removeprefix("*") if value.startswith("*.") else value
    if host != "*" and not re.fullmatch(r"\.?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*)|\[[0-9A-Fa-f:.]+\]", host):
        raise ValueError(f"{value!r} is not a host name (no scheme, no port, no path)")
    return host.lower()


def network(value: str) -> Network:
    """An address or a CIDR; bits right of the prefix are ignored."""
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value!r} is not an address or a CIDR such as 10.0.0.0/8") from None


def origin(value: str) -> str:
    """A CORS origin as routes name them, in any case: https://app.example.com, https://*.example.com, or `*`."""
    try:
        return parse_origin(value.lower())
    except PydanticCustomError as error:
        raise ValueError(error.message()) from None


def path_prefix(value: str) -> str:
    """A path such as /api/v1, without a slash at its end."""
    prefix = value.rstrip("/")
    if not re.fullmatch(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", prefix):
        raise ValueError(f"{value!r} is not a path prefix such as /api/v1")
    return prefix


def url_of(*schemes: str) -> Parse:
    """A URL of one of the schemes, with a host (a path for unix)."""

    def parse(value: str) -> Secret:
        parts = split_url(value)
        if parts.scheme not in schemes:
            raise ValueError(f"the scheme is none of {', '.join(schemes)}")
        if not (parts.path if parts.scheme == "unix" else parts.hostname):
            raise ValueError("the URL names no host" if parts.scheme != "unix" else "the URL names no path")
        return Secret(value)

    return parse


def split_url(value: str) -> SplitResult:
    """`urlsplit` that also judges the port, and whose errors do not repeat the text."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - judged when read
    except ValueError:
        raise ValueError("the URL is malformed") from None
    if any(character.isspace() for character in value):
        raise ValueError("the URL holds white space")
    return parts
