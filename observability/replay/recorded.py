"""P: A kept request as it is replayed: what is known of it, and what was not kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, cast

from authproxy.headers import CREDENTIALS, Pair, is_set_aside
from authproxy.identity import Identity, Method
from observability.requests.kept import LONGEST_PATH, MOST_NAMES
from observability.requests.masking import LONGEST_QUERY, MOST_FIELDS, MOST_PARAMETERS, is_masked
from routing.conditions import parameters
from routing.explain import Request

FIELDS: Final = (
    "pk",
    "at",
    "request_id",
    "method",
    "scheme",
    "host",
    "path",
    "query",
    "route",
    "service",
    "target",
    "status",
    "code",
    "consumer",
    "auth_method",
    "client",
    "revision",
    "facts",
)
"""What a row must say."""
_KEPT_BESIDE: Final = frozenset({b"host", b"content-length"})
_HANDSHAKE: Final = b"sec-websocket-version"
_METHODS: Final = ("jwt", "api_key", "session")


class Fields(Sequence[Pair]):
    """Header fields as pairs of bytes, made of what is kept when somebody looks: most requests are judged without."""

    __slots__ = ("_pairs", "kept")

    def __init__(self, kept: Sequence[Any]) -> None:
        self.kept = kept  # pairs of texts
        self._pairs: tuple[Pair, ...] | None = None

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All of them."""
        if self._pairs is None:
            self._pairs = tuple([(_bytes(str(name)), _bytes(str(value))) for name, value in self.kept])
        return self._pairs

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, at: Any) -> Any:
        return self.pairs[at]


@dataclass(frozen=True)
class Recorded:
    """`request` has "…" where something was masked or cut off; `caller` None: nobody was known to call."""

    request: Request
    route: str
    service: str
    target: str
    status: int
    code: str
    revision: int
    caller: Identity | None
    auth_failure: str
    """Why nobody was known; empty: there were no credentials, or they were not looked at."""
    fields: Fields
    """Those of the request."""
    query: str
    """As it is kept."""
    is_cut: bool
    """Its host or path is longer than what is kept."""
    has_more_names: bool
    """Its caller has more roles or scopes than what is kept."""

    @cached_property
    def names(self) -> frozenset[bytes]:
        """Of its header fields."""
        return frozenset(name for name, _ in self.fields)

    @cached_property
    def masked(self) -> frozenset[bytes]:
        """Fields of which no value is kept, or not all of it."""
        return frozenset(_bytes(str(name)) for name, value in self.fields.kept if is_masked(str(value)))

    @property
    def has_more_fields(self) -> bool:
        """Than those that are kept."""
        return len(self.fields) >= MOST_FIELDS

    @cached_property
    def parameters(self) -> frozenset[bytes]:
        """Names of those of its query."""
        return frozenset(name for name, _ in parameters(self.request.query))

    @cached_property
    def masked_parameters(self) -> frozenset[bytes]:
        """Those of which no value is kept."""
        given = [part.partition("=") for part in self.query.split("&") if part]
        return frozenset(
            next(parameters(_bytes(name)), (b"", b""))[0] for name, _, value in given if is_masked(value)
        )

    @property
    def has_more_parameters(self) -> bool:
        """Than those that are kept."""
        given = sum(1 for part in self.query.split("&") if part)
        return len(self.query) >= LONGEST_QUERY or given >= MOST_PARAMETERS

    @property
    def credentials(self) -> frozenset[bytes]:
        """Fields that may have held a credential."""
        return self.names & CREDENTIALS

    @property
    def is_handshake(self) -> bool:
        """Whether it asked for a WebSocket connection (RFC 6455 section 4.1)."""
        return _HANDSHAKE in self.names

    def lacks_field(self, name: bytes, *, value: bool) -> bool:
        """Whether it is not kept if the request had this field, or, if asked for, with which value."""
        if name in self.names:
            return value and name in self.masked
        return self.has_more_fields or (is_set_aside(name) and name not in _KEPT_BESIDE)

    def lacks_parameter(self, name: bytes, *, value: bool) -> bool:
        """The same of a parameter of its query."""
        if name in self.parameters:
            return value and name in self.masked_parameters
        return self.has_more_parameters


def recorded_of(row: Mapping[str, Any]) -> Recorded:
    """Of a row's FIELDS."""
    facts, path, host, query = row["facts"], row["path"], row["host"], row["query"]
    fields = Fields(facts.get("headers", ()))
    caller = facts.get("caller")
    return Recorded(
        request=Request(
            row["method"],
            _bytes(host),
            _bytes(path) or b"/",
            _bytes(query),
            fields,
            row["scheme"] or "http",
            row["client"],
        ),
        route=row["route"],
        service=row["service"],
        target=row["target"],
        status=row["status"],
        code=row["code"],
        revision=row["revision"],
        caller=None if caller is None else _identity(row, caller),
        auth_failure=str(facts.get("auth_failure") or ""),
        fields=fields,
        query=query,
        is_cut=len(path) >= LONGEST_PATH or is_masked(host),
        has_more_names=caller is not None and _is_full(caller),
    )


def _identity(row: Mapping[str, Any], caller: Mapping[str, Any]) -> Identity:
    """As far as rights go; whose account it is was not kept."""
    method = row["auth_method"] if row["auth_method"] in _METHODS else "jwt"
    ceiling = caller.get("ceiling")
    return Identity(
        method=cast("Method", method),
        kind="service" if caller.get("kind") == "service" else "user",
        name=str(caller.get("name") or ""),
        consumer=row["consumer"],
        plan=str(caller.get("plan") or ""),
        roles=_words(caller.get("roles")),
        direct=_words(caller.get("scopes")),
        ceiling=None if ceiling is None else _words(ceiling),
        is_staff=caller.get("is_staff") is True,
        provider=str(caller.get("provider") or ""),
    )


def _is_full(caller: Mapping[str, Any]) -> bool:
    return any(len(caller.get(name) or ()) >= MOST_NAMES for name in ("roles", "scopes", "ceiling"))


def _words(given: Any) -> frozenset[str]:
    return frozenset(map(str, given or ()))


def _bytes(text: str) -> bytes:
    """As it came; what stands for something that was not kept is no byte."""
    return text.encode("latin-1", "replace")
