"""P: What the policies of a route would make of a request, and what would be sent or answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from routing import trafficnotes
from routing.explanation import PolicyNote
from routing.knowledge import NOTHING, Counted, Knowledge
from routing.paths import NormalPath
from routing.rewrite import CompiledRewrite, location
from routing.shapes.addresses import address_note
from routing.shapes.aggregate import aggregate_note
from routing.shapes.cache import cache_note
from routing.shapes.changes import filled, rendered
from routing.shapes.compress import compress_note
from routing.shapes.cors import cors_note
from routing.shapes.envelope import envelope_note
from routing.shapes.headers_required import required_headers_note
from routing.shapes.mirror import mirror_note
from routing.shapes.statusmap import status_map_note
from routing.shapes.templates import Facts
from routing.shapes.transform import transform_note
from routing.shapes.validation import validation_note
from routing.shapes.websocket import socket_note
from routing.snapshot import (
    CompiledRoute,
    CompiledService,
    CompiledTarget,
    Grpc,
    HeaderList,
    HeaderOps,
    Publish,
    Redirect,
    Respond,
    Snapshot,
    service_of,
)
from routing.standing import Admission

_BUILT_IN_TIMEOUT_S = 30.0


def policy_notes(
    snapshot: Snapshot,
    route: CompiledRoute,
    path: NormalPath,
    content_length: int | None,
    *,
    admission: Admission,
    method: str = "GET",
    headers: HeaderList = (),
    address: str = "",
    known: Knowledge = NOTHING,
    facts: Facts | None = None,
) -> Iterator[PolicyNote]:
    """The policies that a route has, in the order in which they act."""
    if path.has_encoded_slash:
        outcome = "pass" if route.allow_encoded_slashes else "refuse"
        yield PolicyNote("allow_encoded_slashes", source_of(route, "allow_encoded_slashes"), outcome, {})
    yield from cors_note(route.shapes.cors, source_of(route, "cors"), headers)
    yield from address_note(route.shapes.addresses, source_of(route, "ip"), address)
    yield from _auth_notes(snapshot, route, admission)
    service = snapshot.services.get(service_of(route.destination) or "")
    request = Counted(route, admission.recognised, headers, address)
    yield from _held_in_check(snapshot, request, service, method=method, known=known)
    yield from required_headers_note(
        route.shapes.required_headers, source_of(route, "require_headers"), headers
    )
    yield from validation_note(route.shapes.validation, source_of(route, "validate"))
    yield from _size_note(route, content_length)
    yield from cache_note(
        route.shapes.cache,
        source_of(route, "cache"),
        method=method,
        headers=headers,
        has_caller=admission.caller is not None,
    )
    if route.rewrite is not None:
        outcome = "refuse" if facts is not None and unmade(route, facts) else "applies"
        yield PolicyNote("rewrite", source_of(route, "rewrite"), outcome, _rewriting(route, path, facts))
    if route.request_headers is not None:
        source = source_of(route, "request_headers")
        yield PolicyNote("request_headers", source, "applies", header_changes(route.request_headers, facts))
    yield from mirror_note(route.shapes.mirror, source_of(route, "mirror"))
    yield from socket_note(route.shapes.websocket, source_of(route, "websocket"), headers)
    yield from aggregate_note(route.destination, source_of(route, "aggregate"))
    if service is not None:
        yield from trafficnotes.service_notes(service, method)
        yield from _service_notes(route, service)
    yield from status_map_note(route.shapes.status_map, source_of(route, "status_map"))
    yield from transform_note(route.shapes.transform, source_of(route, "transform"))
    yield from envelope_note(is_on=route.shapes.envelope, source=source_of(route, "envelope"))
    accepted = [value for name, value in headers if name == b"accept-encoding"]
    yield from compress_note(route.shapes.compress, source_of(route, "compress"), accepted)
    if route.response_headers is not None:
        source = source_of(route, "response_headers")
        yield PolicyNote("response_headers", source, "applies", header_changes(route.response_headers, facts))
    if route.log is not None:
        yield PolicyNote("log", source_of(route, "log"), "applies", route.log._asdict())
    if (source := source_of(route, "slo")) != "built-in":
        written = route.source if source == "route" else snapshot.defaults
        yield PolicyNote("slo", source, "applies", dict(written["slo"]))


def _held_in_check(
    snapshot: Snapshot, request: Counted, service: CompiledService | None, *, method: str, known: Knowledge
) -> Iterator[PolicyNote]:
    route = request.route
    yield from trafficnotes.quota_notes(
        snapshot, route, source_of(route, "quotas"), method=method, request=request, known=known
    )
    yield from trafficnotes.fault_notes(snapshot, route, source_of(route, "fault"), known.now)
    yield from trafficnotes.concurrency_note(route.concurrency, source_of(route, "limits"))
    if service is not None:
        yield from trafficnotes.concurrency_note(service.concurrency, "service")
        yield from trafficnotes.breaker_note(service, known.breaker(service.name), known.now)


def source_of(route: CompiledRoute, key: str) -> str:
    """Where a key of a route comes from: route, defaults or built-in."""
    if key in route.source:
        return "route"
    return "defaults" if key in route.from_defaults else "built-in"


def upstream_request(
    route: CompiledRoute,
    target: CompiledTarget,
    *,
    method: str,
    path: NormalPath,
    query: bytes,
    host: bytes,
    facts: Facts | None = None,
) -> dict[str, Any]:
    """The request that the target would get, apart from the forwarding headers, which are always added."""
    rewrite = _filled(route, facts) or CompiledRewrite()
    sent = rewrite.apply(path.forward, target.base_path)
    if isinstance(route.destination, Grpc):
        sent, method, query = f"/{route.destination.service}/{route.destination.method}".encode(), "POST", b""
    sent_host = rewrite.host or (host if rewrite.preserve_host else target.authority)
    url = f"http://localhost{_text(sent)}"
    if target.socket_path is None:
        url = f"{target.scheme}://{_text(target.authority)}{_text(sent)}"
    found: dict[str, Any] = {
        "method": method,
        "url": url + (f"?{_text(query)}" if query else ""),
        "host": _text(sent_host),
        "headers": header_changes(route.request_headers or HeaderOps(), facts),
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
        case Publish(topic=topic):
            return {"status": 202, "topic": topic}
    return None


def header_changes(ops: HeaderOps, facts: Facts | None = None) -> dict[str, Any]:
    """Changes to headers, for people; values with variables as they are for this request."""
    found: dict[str, Any] = {
        "remove": sorted(_text(name) for name in ops.remove),
        "set": _pairs(ops.set),
        "add": _pairs(ops.add),
    }
    if ops.templates:
        made = {} if facts is None else dict(rendered(ops.templates, facts))
        found["filled_in"] = {
            _text(name): _text(made[name]) if name in made else f"(not set: {template.written})"
            for name, template in ops.templates
        }
    return found


def unmade(route: CompiledRoute, facts: Facts) -> str:
    """What a rewrite with variables cannot make of a request: "path" or "host"; else nothing."""
    if route.rewrite is None or not route.rewrite.is_templated:
        return ""
    made = filled(route.rewrite, facts, encoded_slashes=route.allow_encoded_slashes)
    return made if isinstance(made, str) else ""


def _filled(route: CompiledRoute, facts: Facts | None) -> CompiledRewrite | None:
    rewrite = route.rewrite
    if rewrite is None or not rewrite.is_templated or facts is None:
        return rewrite
    made = filled(rewrite, facts, encoded_slashes=route.allow_encoded_slashes)
    return None if isinstance(made, str) else made


def _size_note(route: CompiledRoute, content_length: int | None) -> Iterator[PolicyNote]:
    source = source_of(route, "limits")
    if route.max_body is not None:
        details: dict[str, Any] = {"max_body": route.max_body, "content_length": content_length}
        outcome: Any = "refuse" if content_length is not None and content_length > route.max_body else "pass"
        yield PolicyNote("limits", source, outcome, details)
    if route.watched_body is not None:
        details = {"max_body": route.watched_body, "content_length": content_length, "mode": "log"}
        yield PolicyNote("limits", source, "pass", details)


def _auth_notes(snapshot: Snapshot, route: CompiledRoute, admission: Admission) -> Iterator[PolicyNote]:
    written = route.source if route.source.get("auth") is not None else snapshot.defaults
    details: dict[str, Any] = {"level": route.auth.level, **(written.get("auth") or {})}
    if admission.remark:
        details["remark"] = admission.remark
    if admission.caller is not None:
        details["caller"] = dict(admission.caller)
    if (refusal := admission.refusal) is not None:
        details["refused_for" if route.auth.is_enforced else "would_be_refused_for"] = dict(admission.lacking)
    outcome = "refuse" if refusal is not None and route.auth.is_enforced else "pass"
    yield PolicyNote("auth", source_of(route, "auth"), outcome, details)
    if (service := service_of(route.destination)) is not None:
        yield from _forwarding_notes(route, service, admission)


def _forwarding_notes(route: CompiledRoute, service: str, admission: Admission) -> Iterator[PolicyNote]:
    """What the service is told of the caller, and what it gets of the credentials where somebody has said so."""
    if admission.fields or source_of(route, "forward_identity") != "built-in":
        details: dict[str, Any] = {"as": route.forward_identity}
        if admission.fields and route.forward_identity == "headers":
            details["headers"] = dict(admission.fields)
        elif route.forward_identity == "token":
            details["audience"] = service
        yield PolicyNote("forward_identity", source_of(route, "forward_identity"), "applies", details)
    if (source := source_of(route, "forward_credentials")) != "built-in":
        yield PolicyNote("forward_credentials", source, "applies", {"forwarded": route.forward_credentials})


def _service_notes(route: CompiledRoute, service: CompiledService) -> Iterator[PolicyNote]:
    details = {
        "connect_s": service.connect_timeout_s,
        "read_s": service.read_timeout_s,
        "total_s": route.timeout_s or service.total_timeout_s,
    }
    yield PolicyNote("timeout", _timeout_source(route, service), "applies", details)
    if isinstance(route.destination, Grpc):
        called = {"service": route.destination.service, "method": route.destination.method}
        yield PolicyNote("grpc", source_of(route, "grpc"), "applies", called)
    if service.overridden_by is not None:
        yield PolicyNote("targets", "environment", "applies", {"variable": service.overridden_by})


def _timeout_source(route: CompiledRoute, service: CompiledService) -> str:
    if route.timeout_s is not None:
        return source_of(route, "timeout")
    written = service.source.get("timeout")
    if isinstance(written, Mapping) and written.get("total") is not None:
        return "service"
    return "built-in" if service.total_timeout_s == _BUILT_IN_TIMEOUT_S else "environment"


def _rewriting(route: CompiledRoute, path: NormalPath, facts: Facts | None) -> dict[str, Any]:
    rewrite = _filled(route, facts)
    if rewrite is None:
        return {"path": _text(path.forward), "cannot_make": "" if facts is None else unmade(route, facts)}
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
