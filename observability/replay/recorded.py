"""P: A kept request as it is replayed: what is known of it, and what was not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from authproxy.headers import CREDENTIALS, is_set_aside
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


@dataclass(frozen=True, slots=True)
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
    names: frozenset[bytes]
    """Of its header fields."""
    masked: frozenset[bytes]
    """Fields of which no value is kept, or not all of it."""
    has_more_fields: bool
    parameters: frozenset[bytes]
    masked_parameters: frozenset[bytes]
    has_more_parameters: bool
    is_cut: bool
    """Its host or path is longer than what is kept."""
    has_more_names: bool
    """Its caller has more roles or scopes than what is kept."""

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
    facts = row["facts"]
    fields = [(str(name), str(value)) for name, value in facts.get("headers", ())]
    pairs = tuple((_bytes(name), _bytes(value)) for name, value in fields)
    query = row["query"]
    given = [part.partition("=") for part in query.split("&") if part]
    caller = facts.get("caller")
    return Recorded(
        request=Request(
            method=row["method"],
            host=_bytes(row["host"]),
            path=_bytes(row["path"]) or b"/",
            query=_bytes(query),
            headers=pairs,
            scheme=row["scheme"] or "http",
            address=row["client"],
        ),
        route=row["route"],
        service=row["service"],
        target=row["target"],
        status=row["status"],
        code=row["code"],
        revision=row["revision"],
        caller=None if caller is None else _identity(row, caller),
        auth_failure=str(facts.get("auth_failure") or ""),
        names=frozenset(name for name, _ in pairs),
        masked=frozenset(_bytes(name) for name, value in fields if is_masked(value)),
        has_more_fields=len(fields) >= MOST_FIELDS,
        parameters=frozenset(name for name, _ in parameters(_bytes(query))),
        masked_parameters=frozenset(
            next(parameters(_bytes(name)), (b"", b""))[0] for name, _, value in given if is_masked(value)
        ),
        has_more_parameters=len(query) >= LONGEST_QUERY or len(given) >= MOST_PARAMETERS,
        is_cut=len(row["path"]) >= LONGEST_PATH or is_masked(row["host"]),
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
