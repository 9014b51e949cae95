"""P: Kong's services and upstreams as services with targets.

A service of Kong names a host. Where an upstream has this name, its targets and its way to choose among them are meant.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from routing.foreign import Notes, NotReadable
from routing.kong.reading import Entity, Raw, Source

_ALGORITHMS: Final = {
    "round-robin": "weighted_round_robin",
    "least-connections": "least_connections",
    "consistent-hashing": "consistent_hash",
}
_PROTOCOLS: Final = {
    "http": "http",
    "https": "https",
    "ws": "http",
    "wss": "https",
    "grpc": "grpc",
    "grpcs": "grpc",
}
_OF_ALL: Final = frozenset({"name", "id", "tags", "created_at", "updated_at", "_comment"})
_OF_SERVICES: Final = _OF_ALL | {
    "url", "protocol", "host", "port", "path", "enabled", "retries", "connect_timeout", "read_timeout", "write_timeout",
    "tls_verify", "tls_verify_depth", "client_certificate", "ca_certificates", "routes", "plugins",
}  # fmt: skip
_OF_UPSTREAMS: Final = _OF_ALL | {
    "targets", "algorithm", "slots", "healthchecks", "hash_on", "hash_on_header", "hash_on_cookie",
    "hash_on_cookie_path", "hash_fallback", "hash_fallback_header",
}  # fmt: skip
_PORTS: Final = {"http": 80, "https": 443, "grpc": 80}


def service_of(entity: Entity, name: str, source: Source, notes: Notes) -> dict[str, Any] | None:
    """None where there is no counterpart, with a note."""
    scheme, host, port, path = _address(entity)
    protocol = _PROTOCOLS.get(scheme)
    if protocol is None:
        notes.add(entity.place, f"protocol {scheme}: only HTTP is proxied; its routes answer 501")
        return None
    scheme = "https" if scheme in ("https", "wss", "grpcs") else "http"
    service: dict[str, Any] = {"name": name, "protocol": protocol}
    upstream = next((each for each in source.upstreams if each.key == host), None)
    if upstream is None:
        service["targets"] = [{"url": f"{scheme}://{_netloc(host, port or _PORTS[protocol])}{path}"}]
    else:
        service |= _balanced(upstream, source, notes)
        service["targets"] = _targets(upstream, source, scheme, path, notes)
    service["timeout"] = _timeout(entity, notes)
    service["retries"] = _retries(entity)
    _tls(entity, protocol, notes)
    _note_rest(entity, _OF_SERVICES, notes)
    if upstream is not None:
        _note_rest(upstream, _OF_UPSTREAMS, notes)
    return service


def _note_rest(entity: Entity, known: frozenset[str], notes: Notes) -> None:
    for key in entity.raw:
        if key not in known and entity.raw[key]:
            notes.add(f"{entity.place}.{key}", "has no counterpart")


def _address(entity: Entity) -> tuple[str, str, int | None, str]:
    url = entity.get("url")
    if url is None:
        path = str(entity.get("path", "")).rstrip("/")
        port = entity.get("port")
        return str(entity.get("protocol", "http")), str(entity.get("host", "")), port, path
    try:
        parts = urlsplit(str(url))
        return parts.scheme, parts.hostname or "", parts.port, parts.path.rstrip("/")
    except ValueError as error:
        raise NotReadable(f"{entity.place}.url: {error}") from error


def _netloc(host: str, port: object) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _targets(upstream: Entity, source: Source, scheme: str, path: str, notes: Notes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, target in source.targets:
        if name != upstream.key:
            continue
        address = str(target.get("target", ""))
        if not address:
            notes.add(target.place, "it has no address; it is left out")
            continue
        weight = int(target.get("weight", 100))
        netloc = address if address.rpartition(":")[2].isdigit() else f"{address}:8000"
        found.append(
            {"url": f"{scheme}://{netloc}{path}", **({"weight": weight} if weight else {"drain": True})}
        )
    return found


def _balanced(upstream: Entity, source: Source, notes: Notes) -> dict[str, Any]:
    algorithm = str(upstream.get("algorithm", "round-robin"))
    known = _ALGORITHMS.get(algorithm)
    if known is None:
        notes.add(f"{upstream.place}.algorithm", f"{algorithm}: least_connections is taken instead")
        known = "least_connections"
    service: dict[str, Any] = {"load_balancing": known}
    if known == "consistent_hash":
        service["hash_on"] = _hash_on(upstream, notes)
    checks = upstream.mapping("healthchecks")
    service |= _active(upstream, checks.get("active") or {}, notes)
    service |= _passive(checks.get("passive") or {})
    return service


def _hash_on(upstream: Entity, notes: Notes) -> Any:
    kind = str(upstream.get("hash_on", "none"))
    if kind in ("ip", "consumer"):
        found: Any = kind
    elif kind == "header":
        found = {"header": str(upstream.get("hash_on_header", "")).lower()}
    elif kind == "cookie":
        found = {"cookie": str(upstream.get("hash_on_cookie", ""))}
    else:
        notes.add(f"{upstream.place}.hash_on", f"{kind}: the client's address is taken instead")
        found = "ip"
    if upstream.get("hash_fallback", "none") != "none":
        notes.add(f"{upstream.place}.hash_fallback", "what has no value to hash is spread evenly instead")
    return found


def _active(upstream: Entity, raw: Raw, notes: Notes) -> dict[str, Any]:
    """Kong's active checks run only where an interval is not 0."""
    healthy, unhealthy = raw.get("healthy") or {}, raw.get("unhealthy") or {}
    interval = max(healthy.get("interval") or 0, unhealthy.get("interval") or 0)
    if not interval:
        return {}
    if raw.get("type", "http") not in ("http", "https"):
        notes.add(
            f"{upstream.place}.healthchecks.active.type", f"{raw['type']}: checks ask by HTTP; left out"
        )
        return {}
    health: dict[str, Any] = {
        "path": str(raw.get("http_path", "/")),
        "interval": seconds(interval),
        "timeout": seconds(min(raw.get("timeout") or 1, interval)),
        "healthy_after": max(int(healthy.get("successes") or 1), 1),
        "unhealthy_after": max(int(unhealthy.get("http_failures") or unhealthy.get("timeouts") or 1), 1),
    }
    if statuses := healthy.get("http_statuses"):
        health["expect"] = [int(status) for status in statuses]
    return {"health": health}


def _passive(raw: Raw) -> dict[str, Any]:
    """Kong puts a target back only by an active check; here it comes back by itself after a while as well."""
    failures = (raw.get("unhealthy") or {}).get("http_failures") or 0
    return {"ejection": {"consecutive_errors": int(failures)}} if failures else {}


def _timeout(entity: Entity, notes: Notes) -> dict[str, str]:
    """Kong's are in milliseconds, a minute each unless said; it has none for the whole."""
    connect, read, write = (
        int(entity.get(f"{each}_timeout", 60_000)) for each in ("connect", "read", "write")
    )
    if write != read and "write_timeout" in entity.raw:
        notes.add(f"{entity.place}.write_timeout", "timeout.read counts for both directions")
    return {"connect": f"{connect}ms", "read": f"{read}ms", "total": f"{max(connect + read, 60_000)}ms"}


def _retries(entity: Entity) -> dict[str, Any]:
    """Kong repeats after a failure of the connection, never after an answer."""
    attempts = int(entity.get("retries", 5))
    return {"attempts": min(attempts, 10), "on": ["connect", "reset", "timeout"]}


def _tls(entity: Entity, protocol: str, notes: Notes) -> None:
    if protocol == "https" and entity.get("tls_verify") is not True:
        notes.add(
            entity.place,
            "certificates of its targets are verified from now on; tls.verify: false is as before",
        )
    for key in ("client_certificate", "ca_certificates"):
        if entity.raw.get(key):
            notes.add(f"{entity.place}.{key}", "say it as a file under the service's tls")


def seconds(value: float) -> str:
    """A duration of the document."""
    return f"{int(value)}s" if float(value).is_integer() else f"{int(value * 1000)}ms"
