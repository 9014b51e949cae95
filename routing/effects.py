"""P: What the policies of a route would make of a request, and what would be sent or answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from routing.explanation import PolicyNote
from routing.paths import NormalPath
from routing.rewrite import CompiledRewrite, location
from routing.snapshot import (
    CompiledRoute,
    CompiledService,
    CompiledTarget,
    HeaderList,
    HeaderOps,
    Redirect,
    Respond,
    Snapshot,
)

_BUILT_IN_TIMEOUT_S = 30.0


def policy_notes(
    snapshot: Snapshot, route: CompiledRoute, path: NormalPath, content_length: int | None
) -> Iterator[PolicyNote]:
    """The policies that a route has, in the order in which they act."""
    if path.has_encoded_slash:
        outcome = "pass" if route.allow_encoded_slashes else "refuse"
        yield PolicyNote("allow_encoded_slashes", source_of(route, "allow_encoded_slashes"), outcome, {})
    auth = route.source.get("auth") or snapshot.defaults.get("auth") or {}
    yield PolicyNote("auth", source_of(route, "auth"), "pass", dict(auth))
    if route.max_body is not None:
        details = {"max_body": route.max_body, "content_length": content_length}
        outcome = "refuse" if content_length is not None and content_length > route.max_body else "pass"
        yield PolicyNote("limits", source_of(route, "limits"), outcome, details)
    if route.rewrite is not None:
        yield PolicyNote("rewrite", source_of(route, "rewrite"), "applies", _rewriting(route.rewrite, path))
    if route.request_headers is not None:
        source = source_of(route, "request_headers")
        yield PolicyNote("request_headers", source, "applies", header_changes(route.request_headers))
    service = snapshot.services.get(getattr(route.destination, "service", ""))
    if service is not None:
        yield from _service_notes(route, service)
    if route.response_headers is not None:
        source = source_of(route, "response_headers")
        yield PolicyNote("response_headers", source, "applies", header_changes(route.response_headers))


def source_of(route: CompiledRoute, key: str) -> str:
    """Where a key of a route comes from: route, defaults or built-in."""
    if key in route.source:
        return "route"
    return "defaults" if key in route.from_defaults else "built-in"


def upstream_request(
    route: CompiledRoute, target: CompiledTarget, *, method: str, path: NormalPath, query: bytes, host: bytes
) -> dict[str, Any]:
    """The request that the target would get, apart from the forwarding headers, which are always added."""
    rewrite = route.rewrite or CompiledRewrite()
    sent = rewrite.apply(path.forward, target.base_path)
    sent_host = rewrite.host or (host if rewrite.preserve_host else target.authority)
    url = f"http://localhost{_text(sent)}"
    if target.socket_path is None:
        url = f"{target.scheme}://{_text(target.authority)}{_text(sent)}"
    found: dict[str, Any] = {
        "method": method,
        "url": url + (f"?{_text(query)}" if query else ""),
        "host": _text(sent_host),
        "headers": header_changes(route.request_headers or HeaderOps()),
    }
    return found if target.socket_path is None else {**found, "socket": target.socket_path}


def own_answer(
    route: CompiledRoute, *, scheme: str, host: bytes, path: NormalPath, query: bytes
) -> dict[str, Any] | None:
    """The answer of a route that asks no service."""
    match route.destination:
        case Redirect() as redirect:
            target = location(redirect, scheme=scheme, host=host, path=path.forward, query=query)
            return {"status": redirect.status, "location": _text(target)}
        case Respond() as respond:
            body = respond.body.decode("utf-8", "replace")
            return {"status": respond.status, "headers": _pairs(respond.headers), "body": body}
    return None


def header_changes(ops: HeaderOps) -> dict[str, Any]:
    """Changes to headers, for people."""
    return {
        "remove": sorted(_text(name) for name in ops.remove),
        "set": _pairs(ops.set),
        "add": _pairs(ops.add),
    }


def _service_notes(route: CompiledRoute, service: CompiledService) -> Iterator[PolicyNote]:
    details = {
        "connect_s": service.connect_timeout_s,
        "read_s": service.read_timeout_s,
        "total_s": route.timeout_s or service.total_timeout_s,
    }
    yield PolicyNote("timeout", _timeout_source(route, service), "applies", details)
    if service.overridden_by is not None:
        yield PolicyNote("targets", "environment", "applies", {"variable": service.overridden_by})


def _timeout_source(route: CompiledRoute, service: CompiledService) -> str:
    if route.timeout_s is not None:
        return source_of(route, "timeout")
    written = service.source.get("timeout")
    if isinstance(written, Mapping) and written.get("total") is not None:
        return "service"
    return "built-in" if service.total_timeout_s == _BUILT_IN_TIMEOUT_S else "environment"


def _rewriting(rewrite: CompiledRewrite, path: NormalPath) -> dict[str, Any]:
    found: dict[str, Any] = {"path": _text(path.forward), "becomes": _text(rewrite.apply(path.forward))}
    if rewrite.host is not None:
        found["host"] = _text(rewrite.host)
    if rewrite.preserve_host:
        found["preserve_host"] = True
    return found


def _pairs(pairs: HeaderList) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in pairs}


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
