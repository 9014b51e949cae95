"""P: Which keys of the document this version acts on. Others are refused, never ignored silently.

The schema is complete from the start. Whoever makes a key work adds it to the table below.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding, Location
from routing.document.shape import Key, Shape, entry_shape
from routing.problems import quote

# True: the key and all below it. A tuple: these values. A mapping: these keys of the section.
Honoured = Mapping[str, "bool | tuple[object, ...] | Honoured"]

_ROUTE: Final[Honoured] = {
    "name": True,
    "managed_by": True,
    "match": True,
    "priority": True,
    "enabled": True,
    "service": True,
    "backends": True,
    "sticky": True,
    "force": True,
    "canary": True,
    "redirect": True,
    "respond": True,
    "aggregate": True,
    "publish": True,
    "grpc": True,
    "auth": True,
    "forward_identity": True,
    "forward_credentials": True,
    "quotas": True,
    "limits": True,
    "fault": True,
    "slo": True,
    "log": True,
    "require_headers": True,
    "validate": True,
    "rewrite": True,
    "mirror": True,
    "request_headers": True,
    "response_headers": True,
    "transform": True,
    "status_map": True,
    "envelope": True,
    "compress": True,
    "compression": True,
    "timeout": True,
    "allow_encoded_slashes": True,
    "cors": True,
    "cache": True,
    "ip": True,
    "websocket": True,
}
HONOURED: Final[Mapping[str, Honoured]] = {
    "services": {
        "name": True,
        "managed_by": True,
        "protocol": True,
        "targets": True,
        "load_balancing": True,
        "hash_on": True,
        "slow_start": True,
        "panic": True,
        "max_concurrency": True,
        "timeout": True,
        "retries": True,
        "breaker": True,
        "health": True,
        "ejection": True,
        "tls": True,
        "openapi": True,
        "descriptors": True,
        "max_connections": True,
    },
    "routes": _ROUTE,
    "defaults": {name: honoured for name, honoured in _ROUTE.items() if name not in ("name", "managed_by")},
    "quotas": {
        "name": True,
        "managed_by": True,
        "algorithm": True,
        "limit": True,
        "per": True,
        "burst": True,
        "key": True,
        "methods": True,
        "on_store_failure": True,
        "mode": True,
    },
    "plans": {"name": True, "managed_by": True, "quotas": True},
    "roles": {"name": True, "managed_by": True, "scopes": True, "default": True},
    "identity_providers": {
        "name": True,
        "managed_by": True,
        "issuer": True,
        "audience": True,
        "jwks_url": True,
        "discovery_url": True,
        "secret": True,
        "cookie": True,
        "algorithms": True,
        "claims": True,
    },
    "topics": {
        "name": True,
        "managed_by": True,
        "topics": True,
        "subscribe": True,
        "publish": True,
        "bus": True,
    },
}


def is_honoured(kind: str, key: str = "") -> bool:
    """Whether `is_honoured("services", "timeout.connect")`; a section counts when any key of it does."""
    table: object = HONOURED.get(kind, False)
    for step in key.split(".") if key else ():
        if table is True:
            return True
        table = table.get(step, False) if isinstance(table, Mapping) else False
    return bool(table)


def honoured_values(kind: str, key: str) -> tuple[object, ...] | None:
    """The values of a key that this version acts on, or None where all of them are."""
    table: object = HONOURED.get(kind, {})
    for step in key.split("."):
        table = table.get(step) if isinstance(table, Mapping) else None
    return table if isinstance(table, tuple) else None


def unhonoured_section(kind: str) -> Finding | None:
    """The finding for a whole section, such as `quotas`, that this version does not act on."""
    if kind in HONOURED:
        return None
    return Finding("gateway.E030", (kind,), "not honoured by this version yet; leave the section out")


def unhonoured(kind: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys of one entry that this version does not act on and that are not at their defaults."""
    yield from _within(entry, HONOURED[kind], entry_shape(kind), ())


def _within(entry: Mapping[str, Any], table: Honoured, shape: Shape, location: Location) -> Iterator[Finding]:
    for name, value in entry.items():
        honoured = table.get(name, False)
        if honoured is True:
            continue
        key = shape.keys.get(name)
        # Unknown keys are reported elsewhere. What is always written is judged even at its default.
        if key is not None and (key.always_written or not key.is_default(value)):
            yield from _judge(key, value, honoured, (*location, name))


def _judge(key: Key, value: Any, honoured: object, location: Location) -> Iterator[Finding]:
    if isinstance(honoured, tuple):
        if isinstance(value, str) and value not in honoured:
            yield _unhonoured_value(value, honoured, location)
    elif isinstance(honoured, Mapping) and key.below is not None:
        parts: Iterable[tuple[Location, Any]] = (
            [((*location, i), item) for i, item in enumerate(value)]
            if key.form == "list" and isinstance(value, list)
            else [(location, value)]
        )
        for place, part in parts:
            if isinstance(part, Mapping):
                yield from _within(part, honoured, key.below, place)
    elif not _is_empty_section(key, value):
        yield Finding("gateway.E030", location, "not honoured by this version yet; leave it out")


def _is_empty_section(key: Key, value: Any) -> bool:
    """Whether a section says nothing: each key is at its default."""
    if key.below is None or not key.below.empty_is_absent or not isinstance(value, Mapping):
        return False
    below = key.below
    return all(name in below.keys and below.keys[name].is_default(item) for name, item in value.items())


def _unhonoured_value(value: str, honoured: tuple[object, ...], location: Location) -> Finding:
    possible = ", ".join(str(item) for item in honoured)
    message = f"{quote(value)} is not honoured by this version yet; possible: {possible}"
    return Finding("gateway.E030", location, message, value)
