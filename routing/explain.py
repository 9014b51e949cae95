"""P: What would become of a request, and why: the route that takes it, those that do not, and its policies.

The verdict is the index's own, so it is what the data plane does; only the reasons are worked out here.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from routing.effects import own_answer, policy_notes, upstream_request
from routing.explanation import Explanation, Matched, PassedOver, Refusal
from routing.hosts import request_host
from routing.paths import BadPath, NormalPath, normalise
from routing.ranking import Rank, why_before
from routing.snapshot import BuiltinRoute, CompiledRoute, CompiledService, Forward, Miss, Snapshot
from routing.verdicts import Asked, Verdict, fitting_rank, judge, why_it_fits

MOST_PASSED_OVER = 50
_LONGEST_NUMBER = 20

ENCODED_SLASH = Refusal(400, "INVALID_REQUEST", "Slashes and backslashes in a path must not be encoded.")
NOT_FOUND = Refusal(404, "NOT_FOUND", "No route matches this request.")
NO_TARGET = Refusal(503, "SERVICE_UNAVAILABLE", "The service has no target to send to.")

_URL = re.compile(r"(?:(https?)://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to explain. `path` is raw, header names are lower case."""

    method: str = "GET"
    host: bytes = b""
    path: bytes = b"/"
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    scheme: str = "http"


def request_to(method: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> Request:
    """A request as people write it: "/path?query" or a whole URL. A Host header wins over the URL's host."""
    found = _URL.fullmatch(url)
    assert found is not None  # every part is optional
    scheme, authority, path, query = found.groups()
    pairs = tuple(
        (
            name.strip().lower().encode("utf-8", "surrogatepass"),
            value.strip().encode("utf-8", "surrogatepass"),
        )
        for name, value in headers
    )
    named = next((value for name, value in pairs if name == b"host"), None)
    return Request(
        method=method.upper(),
        host=named
        if named is not None
        else (authority or "").rpartition("@")[2].encode("utf-8", "surrogatepass"),
        path=path.encode("utf-8", "surrogatepass") or b"/",
        query=(query or "").encode("utf-8", "surrogatepass"),
        headers=pairs,
        scheme=(scheme or "http").lower(),
    )


def explain(
    snapshot: Snapshot, request: Request, *, pick: Callable[[CompiledService], int] = lambda _: 0
) -> Explanation:
    """Explain a request. `pick` says which of a service's targets would be next."""
    path = normalise(request.path)
    if isinstance(path, BadPath):
        reason = Refusal(400, "INVALID_REQUEST", f"The path is refused: {path.reason}.")
        return Explanation(snapshot.revision, None, refusal=reason)
    asked = Asked(request.method, request_host(request.host), path.match, request.headers, request.query)
    found = snapshot.index.match(request.method, request.host, path.match, request.headers, request.query)
    passed_over, more = _passed_over(snapshot, asked, found)
    explanation = Explanation(snapshot.revision, None, passed_over, more)
    if path.has_encoded_slash and not (isinstance(found, CompiledRoute) and found.allow_encoded_slashes):
        explanation = replace(explanation, refusal=ENCODED_SLASH)
    if isinstance(found, CompiledRoute):
        matched = Matched(found.name, _service_name(found), _why(snapshot, found, asked))
        return _with_effects(replace(explanation, matched=matched), snapshot, found, request, path, pick)
    if isinstance(found, BuiltinRoute):
        why = f"path {path.match} belongs to the gateway ({found.path})"
        reasons = (why, "no route takes it over") if found.yields else (why,)
        return replace(explanation, matched=Matched(None, None, reasons, found.name))
    return replace(explanation, refusal=explanation.refusal or _missed(found))


def _with_effects(
    explanation: Explanation,
    snapshot: Snapshot,
    route: CompiledRoute,
    request: Request,
    path: NormalPath,
    pick: Callable[[CompiledService], int],
) -> Explanation:
    length = _content_length(request)
    notes = tuple(policy_notes(snapshot, route, path, length))
    refusal = explanation.refusal
    if refusal is None and route.max_body is not None and (length or 0) > route.max_body:
        refusal = Refusal(413, "PAYLOAD_TOO_LARGE", f"The body is larger than {route.max_body} bytes.")
    explanation = replace(explanation, policies=notes, refusal=refusal)
    service = snapshot.services.get(_service_name(route) or "")
    if service is None:
        answer = own_answer(route, scheme=request.scheme, host=request.host, path=path, query=request.query)
        return replace(explanation, answer=answer if refusal is None else None)
    chosen = pick(service) if service.targets else -1
    targets = tuple({"url": target.url, "chosen": at == chosen} for at, target in enumerate(service.targets))
    if refusal is None and not service.targets:
        refusal = NO_TARGET
    sent = None
    if refusal is None:
        sent = upstream_request(
            route,
            service.targets[chosen],
            method=request.method,
            path=path,
            query=request.query,
            host=request.host,
        )
    return replace(explanation, targets=targets, upstream_request=sent, refusal=refusal)


def _why(snapshot: Snapshot, route: CompiledRoute, asked: Asked) -> tuple[str, ...]:
    """The conditions that hold, and why the route comes before the next that would fit."""
    rivals = [(rank, other) for rank, other in _fitting(snapshot, asked) if other is not route]
    if not rivals:
        return (*why_it_fits(route, asked), "no other route fits")
    rank, next_one = min(rivals, key=lambda rival: rival[0])
    reason = f"it comes before {next_one.name}: {why_before(fitting_rank(route, asked.host), rank)}"
    return (*why_it_fits(route, asked), reason)


def _fitting(snapshot: Snapshot, asked: Asked) -> Iterator[tuple[Rank, CompiledRoute]]:
    for route in snapshot.routes.values():
        if judge(route, asked).failed is None:
            yield fitting_rank(route, asked.host), route


def _passed_over(
    snapshot: Snapshot, asked: Asked, found: CompiledRoute | BuiltinRoute | Miss
) -> tuple[tuple[PassedOver, ...], int]:
    """The routes that came nearest, nearest first, and how many more there are."""
    judged: list[tuple[CompiledRoute, Verdict]] = [
        (route, judge(route, asked))
        for routes in (snapshot.routes, snapshot.disabled)
        for route in routes.values()
        if route is not found
    ]
    nearest = heapq.nsmallest(MOST_PASSED_OVER, judged, key=lambda pair: _distance(*pair))
    passed_over = tuple(
        PassedOver(route.name, verdict.failed or _why_not(snapshot, route, asked, found))
        for route, verdict in nearest
    )
    return passed_over, len(judged) - len(passed_over)


def _distance(route: CompiledRoute, verdict: Verdict) -> tuple[int, int, Rank]:
    score, shared = verdict.nearness
    return -score, -shared, route.rank


def _why_not(
    snapshot: Snapshot, route: CompiledRoute, asked: Asked, found: CompiledRoute | BuiltinRoute | Miss
) -> str:
    """Why a route whose conditions all hold did not take the request."""
    if route.name in snapshot.disabled:
        return "the route is disabled"
    if isinstance(found, CompiledRoute):
        reason = why_before(fitting_rank(found, asked.host), fitting_rank(route, asked.host))
        return f"a more specific route won: {found.name} ({reason})"
    assert isinstance(found, BuiltinRoute)  # a route that fits is never a miss
    return f"the path belongs to the gateway ({found.path})"


def _missed(miss: Miss) -> Refusal:
    if not miss.allow:
        return NOT_FOUND
    return Refusal(405, "METHOD_NOT_ALLOWED", f"Allowed here: {', '.join(miss.allow)}.", miss.allow)


def _service_name(route: CompiledRoute) -> str | None:
    return route.destination.service if isinstance(route.destination, Forward) else None


def _content_length(request: Request) -> int | None:
    for name, value in request.headers:
        if name == b"content-length" and value.isdigit() and len(value) < _LONGEST_NUMBER:
            return int(value)
    return None
