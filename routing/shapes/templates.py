"""P: Texts of the configuration that are filled in for each request: values of header fields, paths, hosts.

A text is taken apart once, when a route is compiled; what is left for a request is to ask for each variable (the closed
list is `routing.document.variables`) and to join. Nothing here is code: a variable is a name, and its value is data.

A value for a header field has no control characters: what is not visible ASCII is percent-encoded. A value for a path
is percent-encoded whole, so it adds no slash, no query and no dot segment. What a request does not have, or what is
longer than `LONGEST` bytes, is absent: a field is not set, a path or a host cannot be made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote, unquote_to_bytes

from routing.document.variables import VARIABLE, has_variables, split_default
from routing.paths import BadPath, NormalPath, normalise

LONGEST: Final = 4096
"""Bytes of one filled-in text."""
_UNSEEN: Final = re.compile(rb"[^\x20-\x7e]")
_HOST: Final = re.compile(rb"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,5})?")
_WRITABLE: Final = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"?#")


class Caller(Protocol):
    """What is asked of who calls."""

    @property
    def consumer(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def roles(self) -> frozenset[str]: ...
    @property
    def user_id(self) -> str: ...


class Facts(NamedTuple):
    """What variables stand for in one request. `status` is 0 before there is an answer."""

    method: str
    scheme: str
    host: bytes
    path: NormalPath
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    client_ip: str
    request_id: bytes
    caller: Caller | None
    route: str
    service: str
    status: int = 0


def known_facts(route: str, service: str) -> Facts:
    """What is known of all requests of a route; of what is not, nothing."""
    nothing = NormalPath("/", b"/", False)
    return Facts("", "", b"", nothing, b"", (), "", b"", None, route, service)


Ask = Callable[[Facts], bytes]
"""A variable's value, decoded; empty: the request has none."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a text."""

    name: str
    default: bytes | None
    ask: Ask = field(repr=False, compare=False)

    def value(self, facts: Facts) -> bytes:
        """Its value, or its default; empty where there is neither."""
        return self.ask(facts) or self.default or b""


@dataclass(frozen=True, slots=True)
class Template:
    """A text with variables: literal bytes and variables, in turn."""

    written: str
    pieces: tuple[bytes | Variable, ...]

    def field_value(self, facts: Facts) -> bytes:
        """The value of a header field (RFC 9110 section 5.5); empty: it is not set."""
        made = self._joined(facts, _seen)
        return made.strip(b" ") if made[:1] == b" " or made[-1:] == b" " else made

    @property
    def asks(self) -> frozenset[str]:
        """The names of its variables."""
        return frozenset(piece.name for piece in self.pieces if isinstance(piece, Variable))

    def path(self, facts: Facts, *, encoded_slashes: bool) -> bytes | None:
        """A path as it is sent; None if it cannot be made, or if a value would change its segments."""
        made = self._joined(facts, quote_all)
        normal = normalise(made) if made else BadPath("")
        if isinstance(normal, BadPath) or normal.forward != made:
            return None
        return made if encoded_slashes or not normal.has_encoded_slash else None

    def host(self, facts: Facts) -> bytes | None:
        """A Host field's value; None if it cannot be made."""
        made = self._joined(facts, bytes.lower)
        return made if _HOST.fullmatch(made) else None

    def _joined(self, facts: Facts, clean: Callable[[bytes], bytes]) -> bytes:
        made = b""
        for piece in self.pieces:
            if type(piece) is bytes:
                made += piece
                continue
            value = piece.value(facts)  # type: ignore[union-attr]
            if not value or len(value) > LONGEST:
                return b""
            made += clean(value)
        return made if len(made) <= LONGEST else b""


Names = Sequence[str | None] | re.Pattern[str]
"""What a route's path calls its segments, None for a literal one; or the regular expression, whose groups are named."""


def template_of(text: str, names: Names = (), *, of_path: bool = False) -> Template | None:
    """A text taken apart; None for one without variables. The text has been checked. A literal of a path is
    percent-encoded."""
    if not has_variables(text):
        return None
    pieces: list[bytes | Variable] = []
    literal, end = "", 0
    for found in VARIABLE.finditer(text):
        literal += text[end : found.start()]
        end = found.end()
        if found[1] is None:
            literal += "${"
            continue
        pieces += (_literal(literal, of_path=of_path), variable(found[1], names))
        literal = ""
    pieces.append(_literal(literal + text[end:], of_path=of_path))
    return Template(text, tuple(piece for piece in pieces if piece))


def quote_all(value: bytes) -> bytes:
    """A value as one piece of a path's segment: nothing but unreserved characters stays as it is."""
    return quote(value, safe="").encode("ascii")


def _literal(text: str, *, of_path: bool) -> bytes:
    return quote(text, safe=_WRITABLE).encode("ascii") if of_path else text.encode("ascii", "replace")


def variable(text: str, names: Names = ()) -> Variable:
    """What stands between `${` and `}`: a name of the list, with its default."""
    name, default = split_default(text)
    written = None if default is None else default.encode("ascii", "replace")
    return Variable(name, written, _asking(name, names))


def _asking(name: str, names: Names) -> Ask:
    if name.startswith("request.header."):
        return partial(_header, name=name.removeprefix("request.header.").lower().encode("ascii"))
    if name.startswith("request.query."):
        return partial(_parameter, name=name.removeprefix("request.query.").encode("utf-8"))
    if name.startswith("path."):
        wanted = name.removeprefix("path.")
        if isinstance(names, re.Pattern):
            return partial(_group, regex=names, name=wanted)
        return partial(_segment, index=names.index(wanted) + 1)
    return _PLAIN[name]


def _seen(value: bytes) -> bytes:
    if _UNSEEN.search(value) is None:
        return value
    return _UNSEEN.sub(lambda found: b"%%%02X" % found[0][0], value)


def _header(facts: Facts, name: bytes) -> bytes:
    """Repeated fields are one comma-separated value (RFC 9110 section 5.3)."""
    return b", ".join([pair[1] for pair in facts.headers if pair[0] == name])


def _parameter(facts: Facts, name: bytes) -> bytes:
    """The first of that name, as forms write them: `+` is a space."""
    for part in facts.query.split(b"&"):
        found, _, value = part.partition(b"=")
        if found == name or (b"%" in found and unquote_to_bytes(found) == name):
            return unquote_to_bytes(value.replace(b"+", b" "))
    return b""


def _segment(facts: Facts, index: int) -> bytes:
    segments = facts.path.forward.split(b"/", index + 1)
    return unquote_to_bytes(segments[index]) if index < len(segments) else b""


def _group(facts: Facts, regex: re.Pattern[str], name: str) -> bytes:
    found = regex.fullmatch(facts.path.match)
    return b"" if found is None else (found[name] or "").encode("utf-8", "surrogateescape")


def _roles(caller: Caller) -> str:
    return ",".join(sorted(role.replace("%", "%25").replace(",", "%2C") for role in caller.roles))


def _of_caller(ask: Callable[[Caller], str]) -> Ask:
    def value(facts: Facts) -> bytes:
        return b"" if facts.caller is None else ask(facts.caller).encode("utf-8", "replace")

    return value


_PLAIN: Final[dict[str, Ask]] = {
    "consumer.id": _of_caller(lambda caller: caller.user_id or caller.consumer),
    "consumer.name": _of_caller(lambda caller: caller.consumer),
    "consumer.plan": _of_caller(lambda caller: caller.plan),
    "consumer.kind": _of_caller(lambda caller: caller.kind),
    "user.id": _of_caller(lambda caller: caller.user_id),
    "user.name": _of_caller(lambda caller: caller.name),
    "user.roles": _of_caller(_roles),
    "request.id": lambda facts: facts.request_id,
    "request.method": lambda facts: facts.method.encode("ascii", "replace"),
    "request.scheme": lambda facts: facts.scheme.encode("ascii", "replace"),
    "request.host": lambda facts: facts.host,
    "request.path": lambda facts: facts.path.forward,
    "request.client_ip": lambda facts: facts.client_ip.encode("ascii", "replace"),
    "route.name": lambda facts: facts.route.encode("ascii", "replace"),
    "service.name": lambda facts: facts.service.encode("ascii", "replace"),
    "response.status": lambda facts: b"%d" % facts.status if facts.status else b"",
}
