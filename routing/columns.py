"""P: Which column holds which key of the document, for every kind of entry; both ways, losing nothing.

A column whose value is None means that the key is absent. Children (targets, backends) are rows of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Entry = dict[str, Any]
DESTINATIONS: Final = ("service", "backends", "redirect", "respond", "aggregate", "publish")
MATCH_KEYS: Final = ("hosts", "path", "path_type", "methods", "headers", "query")


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of entry: `plain` keys have a column of the same name."""

    kind: str  # the document's key, or the child's key inside its parent
    plain: tuple[str, ...]
    child: str | None = None

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """The entry that a row's values stand for, without its children."""
        return {key: row[key] for key in self.plain if row[key] is not None}

    def row(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A value for every column; raises KeyError for a key that has no column."""
        unknown = entry.keys() - set(self.plain) - {self.child}
        if unknown:
            raise KeyError(f"{self.kind} have no column for {', '.join(sorted(unknown))}")
        return {key: entry.get(key) for key in self.plain}

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the document decides."""
        return self.plain


class RouteTable(Table):
    """Routes: `match` is spread over columns, `auth.level` has its own, and one column names the destination."""

    __slots__ = ()

    def entry(self, row: Mapping[str, Any]) -> Entry:
        """The entry; `row["service"]` is the service's name."""
        entry: Entry = {"name": row["name"]}
        match = {key: row[key] for key in MATCH_KEYS if row[key] is not None}
        if match:
            entry["match"] = match
        entry |= Table.entry(self, row)
        destination = row["destination"]
        if destination and destination != "backends":
            entry[destination] = row[destination]
        if row["auth_level"] is not None:
            entry["auth"] = {"level": row["auth_level"], **(row["auth"] or {})}
        elif row["auth"] is not None:
            entry["auth"] = row["auth"]
        return entry

    def row(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Column values; `service` is still the service's name."""
        spread = {"match", "auth", *DESTINATIONS}
        row = Table.row(self, {key: value for key, value in entry.items() if key not in spread})
        match = entry.get("match") or {}
        if match.keys() - set(MATCH_KEYS):
            raise KeyError(f"routes have no column for match.{min(match.keys() - set(MATCH_KEYS))}")
        row |= {key: match.get(key) for key in MATCH_KEYS}
        row |= {key: entry.get(key) for key in DESTINATIONS if key != "backends"}
        row["destination"] = next((key for key in DESTINATIONS if entry.get(key) is not None), "")
        auth = dict(entry["auth"]) if entry.get("auth") is not None else None
        row["auth_level"] = auth.pop("level", None) if auth else None
        row["auth"] = auth if auth or row["auth_level"] is None else None
        return row

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the document decides."""
        destinations = tuple(key for key in DESTINATIONS if key != "backends")
        return (*self.plain, *MATCH_KEYS, *destinations, "destination", "auth_level", "auth")


TARGET: Final = Table("targets", ("url", "weight", "zone", "backup", "drain"))
BACKEND: Final = Table("backends", ("service", "weight"))
SERVICE: Final = Table(
    "services",
    (
        "name",
        "managed_by",
        "protocol",
        "load_balancing",
        "hash_on",
        "slow_start",
        "panic",
        "max_concurrency",
        "timeout",
        "retries",
        "breaker",
        "health",
        "ejection",
        "tls",
        "openapi",
        "descriptors",
        "max_connections",
    ),
    child="targets",
)
ROUTE: Final = RouteTable(
    "routes",
    (
        "name",
        "managed_by",
        "priority",
        "enabled",
        "grpc",
        "sticky",
        "force",
        "canary",
        "forward_identity",
        "forward_credentials",
        "quotas",
        "ip",
        "limits",
        "require_headers",
        "validate",
        "rewrite",
        "request_headers",
        "response_headers",
        "transform",
        "status_map",
        "envelope",
        "cache",
        "compress",
        "compression",
        "cors",
        "mirror",
        "timeout",
        "websocket",
        "allow_encoded_slashes",
        "fault",
        "slo",
        "log",
    ),
    child="backends",
)
QUOTA: Final = Table(
    "quotas",
    (
        "name",
        "managed_by",
        "algorithm",
        "limit",
        "per",
        "burst",
        "key",
        "methods",
        "on_store_failure",
        "mode",
    ),
)
PLAN: Final = Table("plans", ("name", "managed_by", "quotas"))
ROLE: Final = Table("roles", ("name", "managed_by", "scopes", "default"))
IDENTITY_PROVIDER: Final = Table(
    "identity_providers",
    (
        "name",
        "managed_by",
        "issuer",
        "audience",
        "jwks_url",
        "discovery_url",
        "secret",
        "cookie",
        "algorithms",
        "claims",
    ),
)
TOPIC: Final = Table("topics", ("name", "managed_by", "topics", "subscribe", "publish", "bus"))
TABLES: Final = (SERVICE, ROUTE, QUOTA, PLAN, ROLE, IDENTITY_PROVIDER, TOPIC)
KINDS: Final = tuple(table.kind for table in TABLES)


def by_name(entries: Iterable[Mapping[str, Any]] | None) -> dict[str, Mapping[str, Any]]:
    """Entries of one kind under their names."""
    return {entry["name"]: entry for entry in entries or ()}
