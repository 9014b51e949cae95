"""P: What would become of a request, and why: the route that takes it, those that do not, and its policies.

The verdict is the index's own, so it is what the data plane does; only the reasons are worked out here.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from routing.effects import own_answer, policy_notes, source_of, upstream_request
from routing.explainfacts import facts_of
from routing.explainpreflights import permitted
from routing.explainsplit import as_if_alone, as_it_stands, chosen_of, with_canary
from routing.explaintargets import listed
from routing.explanation import Explanation, Matched, PassedOver, PolicyNote, Refusal
from routing.hosts import is_authority, request_host, spelled
from routing.knowledge import NOTHING, Knowledge
from routing.paths import BadPath, NormalPath, normalise
from routing.preflights import Preflight, preflight_for
from routing.problems import quote
from routing.ranking import Rank, why_before
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss, Snapshot, service_of
from routing.splitting import Split
from routing.standing import Admission, Judge, nobody
from routing.verdicts import Asked, Verdict, fitting_rank, why_it_fits
from routing.verdicts import judge as compare

MOST_PASSED_OVER = 50
_LONGEST_NUMBER = 20

ENCODED_SLASH = Refusal(400, "INVALID_REQUEST", "Slashes and backslashes in a path must not be encoded.")
NOT_FOUND = Refusal(404, "NOT_FOUND", "No route matches this request.")
HEADER_REFUSED = Refusal(400, "INVALID_REQUEST", "A header that is required is missing, or is not accepted.")
UNMADE = Refusal(400, "INVALID_REQUEST", "No path or host for the service can be made of this request.")
NO_TARGET = Refusal(503, "SERVICE_UNAVAILABLE", "The service has no target to send to.")
UNREAD = "credentials in the request are not looked at: say whose request it is"
ADDRESS_REFUSED = Refusal(403, "FORBIDDEN", "This is not served to your address.")
CIRCUIT_OPEN = Refusal(
    503, "CIRCUIT_OPEN", "The service has failed repeatedly and is left alone for a while."
)

_URL = re.compile(r"(?:(https?)://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to explain. `path` is raw, header names are lower case; an empty `address` is not known."""

    method: str = "GET"
    host: bytes = b""
    path: bytes = b"/"
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    scheme: str = "http"
    address: str = ""


class NoRequest(ValueError):  # noqa: N818 - a finding about what somebody wrote
    """No client could send this; str(error) says why, `field` is what is wrong: "url" or "headers"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def request_to(
    method: str, url: str, headers: Iterable[tuple[str, str]] = (), *, address: str = ""
) -> Request:
    """A request as people write it: "/path?query" or a whole URL. A Host header wins over the URL's host.

    Raises NoRequest where one of them is no host.
    """
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
    host = (authority or "").rpartition("@")[2].encode("utf-8", "surrogatepass")
    if authority is not None and not is_authority(host):
        why = (
            _misspelled(host)
            or f"{quote(authority)} is no host: want a path, or a URL such as http://host/path"
        )
        raise NoRequest("url", why)
    if named and not is_authority(named):
        why = _misspelled(named) or quote(named.decode("utf-8", "replace"))
        raise NoRequest("headers", f"the header Host has no host: {why}")
    return Request(
        method=method.upper(),
        host=host if named is None else named,
        path=path.encode("utf-8", "surrogatepass") or b"/",
        query=(query or "").encode("utf-8", "surrogatepass"),
        headers=pairs,
        scheme=(scheme or "http").lower(),
        address=address,
    )


def _misspelled(host: bytes) -> str:
    text = host.decode("utf-8", "replace")
    better = spelled(text)
    return f"{quote(text)} must be spelled {quote(better)}" if better else ""


def has_credentials(request: Request) -> bool:
    """Whether the request brings credentials; explaining verifies none."""
    return any(name in (b"authorization", b"x-api-key") for name, _ in request.headers)


@dataclass(frozen=True, slots=True)
class Located:
    """What takes a request; of a preflight, what takes the request to come, whose method `asked` has."""

    found: CompiledRoute | BuiltinRoute | Miss
    path: NormalPath
    preflight: Preflight | None
    request: Request

    @property
    def asked(self) -> Asked:
        """What routes are compared with."""
        request, preflight = self.request, self.preflight
        method = request.method if preflight is None else preflight.method
        return Asked(method, request_host(request.host), self.path.match, request.headers, request.query)


def locate(snapshot: Snapshot, request: Request) -> Located | BadPath:
    """The way of `Pipeline._locate`."""
    path = normalise(request.path)
    return path if isinstance(path, BadPath) else locate_at(snapshot, request, path)


def locate_at(snapshot: Snapshot, request: Request, path: NormalPath) -> Located:
    """The same of a request whose path is read already."""
    host, headers, query = request.host, request.headers, request.query
    found = snapshot.index.match(request.method, host, path.match, headers, query)
    preflight = None
    if request.method == "OPTIONS":
        preflight = preflight_for(snapshot.index, host, path.match, headers, query, default=None)
    if preflight is not None:
        found = preflight.found
    return Located(found, path, preflight, request)


_Judged = tuple[CompiledRoute, Verdict]


def explain(
    snapshot: Snapshot,
    request: Request,
    *,
    judge: Judge = nobody,
    known: Knowledge = NOTHING,
    reasons: bool = True,
) -> Explanation:
    """Explain a request. `judge` says what admission makes of its caller, `known` how breakers and targets are.

    Without `reasons` it says what becomes of the request, but not why by this route, nor which were passed over:
    for whoever asks about thousands.
    """
    located = locate(snapshot, request)
    if isinstance(located, BadPath):
        reason = Refusal(400, "INVALID_REQUEST", f"The path is refused: {located.reason}.")
        return Explanation(snapshot.revision, None, refusal=reason)
    found, path, preflight, asked = located.found, located.path, located.preflight, located.asked
    judged = _judged(snapshot, asked) if reasons else []
    passed_over, more = _passed_over(snapshot, asked, found, judged)
    explanation = Explanation(snapshot.revision, None, passed_over, more)
    if path.has_encoded_slash and not (isinstance(found, CompiledRoute) and found.allow_encoded_slashes):
        explanation = replace(explanation, refusal=ENCODED_SLASH)
    if isinstance(found, CompiledRoute):
        admission = _noting_credentials(judge(found, snapshot), request)
        route, choice = found, None
        if isinstance(found.destination, Split):
            route, choice = _chosen(found, found.destination, request, admission, known)
        why = _why(snapshot, found, asked, judged) if reasons else ()
        matched = Matched(found.name, _service_name(route), why)
        explanation = replace(explanation, matched=matched)
        if preflight is not None:
            return permitted(
                explanation, found, preflight.method, tuple(request.headers), source_of(found, "cors")
            )
        explanation = _with_effects(explanation, snapshot, route, request, path, admission, known)
        return (
            explanation if choice is None else replace(explanation, policies=(*explanation.policies, choice))
        )
    if isinstance(found, BuiltinRoute):
        words = f"path {path.match} belongs to the gateway ({found.path})"
        why = (words, "no route takes it over") if found.yields else (words,)
        return replace(explanation, matched=Matched(None, None, why, found.name))
    return replace(explanation, refusal=explanation.refusal or _missed(found))


def _chosen(
    route: CompiledRoute, split: Split, request: Request, admission: Admission, known: Knowledge
) -> tuple[CompiledRoute, PolicyNote]:
    canary = None
    if split.canary is not None:
        canary = known.canary(route.name)
        split = as_it_stands(split, canary)
    share, why = chosen_of(split, tuple(request.headers), admission.caller, request.address)
    alone, note = as_if_alone(route, split, share, why, source_of(route, "backends"))
    return alone, note if split.canary is None else with_canary(note, canary)


def _noting_credentials(admission: Admission, request: Request) -> Admission:
    """Whoever believes that they were read would be misled."""
    if admission.caller is not None or admission.remark or not has_credentials(request):
        return admission
    return replace(admission, remark=UNREAD)


def _with_effects(
    explanation: Explanation,
    snapshot: Snapshot,
    route: CompiledRoute,
    request: Request,
    path: NormalPath,
    admission: Admission,
    known: Knowledge,
) -> Explanation:
    length = _content_length(request)
    facts = facts_of(
        route,
        path,
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        query=request.query,
        headers=request.headers,
        address=request.address,
        caller=admission.recognised,
    )
    notes = tuple(
        policy_notes(
            snapshot,
            route,
            path,
            length,
            admission=admission,
            method=request.method,
            headers=tuple(request.headers),
            address=request.address,
            known=known,
            facts=facts,
        )
    )
    refusal = explanation.refusal or _refused(route, admission, notes, length)
    explanation = replace(explanation, policies=notes, refusal=refusal)
    service = snapshot.services.get(_service_name(route) or "")
    if service is None:
        answer = own_answer(route, scheme=request.scheme, host=request.host, path=path, query=request.query)
        return replace(explanation, answer=answer if refusal is None else None)
    chosen, targets = listed(
        service, known, headers=tuple(request.headers), caller=admission.caller, address=request.address
    )
    if refusal is None and chosen is None:
        refusal = NO_TARGET
    sent = None
    if refusal is None and chosen is not None:
        sent = upstream_request(
            route,
            chosen,
            method=request.method,
            path=path,
            query=request.query,
            host=request.host,
            facts=facts,
        )
    return replace(explanation, targets=targets, upstream_request=sent, refusal=refusal)


def _used_up(notes: Iterable[PolicyNote]) -> Refusal | None:
    """Of several quotas the one that makes a caller wait longest."""
    refusing = [note.details for note in notes if note.name == "quotas" and note.outcome == "refuse"]
    if not refusing:
        return None
    longest = max(refusing, key=lambda details: float(details["retry_after_s"]))
    return Refusal(429, "RATE_LIMIT", f"Too many requests: the quota {longest['quota']} is used up.")


def _refused(
    route: CompiledRoute, admission: Admission, notes: Iterable[PolicyNote], length: int | None
) -> Refusal | None:
    """By whoever comes first."""
    if any(note.name == "ip" and note.outcome == "refuse" for note in notes):
        return ADDRESS_REFUSED
    if admission.refusal is not None and route.auth.is_enforced:
        return admission.refusal
    if (used_up := _used_up(notes)) is not None:
        return used_up
    if any(note.name == "require_headers" and note.outcome == "refuse" for note in notes):
        return HEADER_REFUSED
    if any(note.name == "rewrite" and note.outcome == "refuse" for note in notes):
        return UNMADE
    if any(note.name == "breaker" and note.outcome == "refuse" for note in notes):
        return CIRCUIT_OPEN
    if route.max_body is not None and (length or 0) > route.max_body:
        return Refusal(413, "PAYLOAD_TOO_LARGE", f"The body is larger than {route.max_body} bytes.")
    return None


def _judged(snapshot: Snapshot, asked: Asked) -> list[_Judged]:
    """Every route, those that are disabled last."""
    return [
        (route, compare(route, asked))
        for routes in (snapshot.routes, snapshot.disabled)
        for route in routes.values()
    ]


def _why(
    snapshot: Snapshot, route: CompiledRoute, asked: Asked, judged: Iterable[_Judged]
) -> tuple[str, ...]:
    """The conditions that hold, and why the route comes before the next that would fit."""
    rivals = [
        (fitting_rank(other, asked.host), other)
        for other, verdict in judged
        if verdict.failed is None and other is not route and other.name in snapshot.routes
    ]
    if not rivals:
        return (*why_it_fits(route, asked), "no other route fits")
    rank, next_one = min(rivals, key=lambda rival: rival[0])
    reason = f"it comes before {next_one.name}: {why_before(fitting_rank(route, asked.host), rank)}"
    return (*why_it_fits(route, asked), reason)


def _passed_over(
    snapshot: Snapshot, asked: Asked, found: CompiledRoute | BuiltinRoute | Miss, judged: Iterable[_Judged]
) -> tuple[tuple[PassedOver, ...], int]:
    """The routes that came nearest, nearest first, and how many more there are."""
    others = [each for each in judged if each[0] is not found]
    nearest = heapq.nsmallest(MOST_PASSED_OVER, others, key=lambda pair: _distance(*pair))
    passed_over = tuple(
        PassedOver(route.name, verdict.failed or _why_not(snapshot, route, asked, found))
        for route, verdict in nearest
    )
    return passed_over, len(others) - len(passed_over)


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
    return service_of(route.destination)


def _content_length(request: Request) -> int | None:
    for name, value in request.headers:
        if name == b"content-length" and value.isdigit() and len(value) < _LONGEST_NUMBER:
            return int(value)
    return None
