"""P: What would become of a kept request under one configuration; or what one would have to know to say so.

The route, the refusals and what would be sent are `explain`'s own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from observability.replay.recorded import Recorded
from observability.replay.sides import Pair, Side
from observability.replay.standings import standing
from routing.conditions import HeaderCondition, QueryCondition
from routing.explain import ADDRESS_REFUSED, ENCODED_SLASH, Located, explain
from routing.explanation import Explanation, Refusal, told
from routing.knowledge import Knowledge
from routing.snapshot import BuiltinRoute, CompiledRoute, Snapshot, service_of
from routing.standing import Admission
from routing.verdicts import fitting_rank

NO_SOCKETS: Final = Refusal(400, "INVALID_REQUEST", "This route takes no WebSocket connections.")
_BEFORE_CALLERS: Final = (ENCODED_SLASH, ADDRESS_REFUSED, NO_SOCKETS)
"""Refusals for which nobody asks who calls."""
ADDRESS: Final = "its client's address"
Condition = HeaderCondition | QueryCondition


@dataclass(frozen=True, slots=True)
class Fate:
    """`route` None: none takes it, or an endpoint of the gateway itself. `unknown`: all of it but the route depends
    on that, which was not kept."""

    route: CompiledRoute | None = None
    builtin: str = ""
    service: str = ""
    refusal: Refusal | None = None
    because: str = ""
    """What the refusal adds to its message."""
    sent: str = ""
    """Method and path that a service would get."""
    answer: Mapping[str, Any] | None = None
    unknown: str = ""


def fate_of(recorded: Recorded, located: Located, side: Side, pair: Pair, known: Knowledge) -> Fate:
    """`located` is where the request goes on this side."""
    missing: list[str] = []

    def judge(route: CompiledRoute, _snapshot: Snapshot) -> Admission:
        admission = standing(recorded, route, side, pair)
        if isinstance(admission, Admission):
            return admission
        missing.append(admission)
        return Admission()

    found = explain(side.snapshot, recorded.request, judge=judge, known=known, reasons=False)
    if not isinstance(located.found, CompiledRoute):
        builtin = located.found.name if isinstance(located.found, BuiltinRoute) else ""
        return Fate(builtin=builtin, refusal=found.refusal)
    route, refusal = located.found, found.refusal
    if recorded.is_handshake and route.shapes.websocket is None and refusal != ENCODED_SLASH:
        refusal = NO_SOCKETS
    is_asked = route.auth.is_enforced and located.preflight is None
    unknown = _unknown(recorded, route, refusal, missing if is_asked else [])
    if located.preflight is not None:
        unknown = ""
    return Fate(
        route=route,
        service=service_of(route.destination) or "",
        refusal=refusal,
        because=_because(found, refusal),
        sent=_sent(found),
        answer=found.answer if located.preflight is None else None,
        unknown=unknown,
    )


def doubts(recorded: Recorded, located: Located, side: Side) -> Iterator[tuple[str, str]]:
    """Routes that may take it instead, or may not, by something that was not kept: their names, and what that is."""
    found, asked = located.found, located.asked
    if isinstance(found, BuiltinRoute) and not found.yields:
        return
    fields = [name for name in side.header_conditions if recorded.lacks_field(name, value=True)]
    if not fields and not any(recorded.lacks_parameter(name, value=True) for name in side.query_conditions):
        return
    for route in side.snapshot.index.candidates(recorded.request.host, asked.path):
        if (route.methods and asked.method not in route.methods) or not route.pattern.covers(asked.path):
            continue
        doubt = _doubt(recorded, route)
        if doubt and (
            not isinstance(found, CompiledRoute)
            or route is found
            or fitting_rank(route, asked.host) < fitting_rank(found, asked.host)
        ):
            yield route.name, f"{doubt}, by which route {route.name} is chosen"


def _doubt(recorded: Recorded, route: CompiledRoute) -> str:
    """The condition of which nobody can say whether it holds, where all that can be said of do."""
    doubt = ""
    for header in route.headers:
        if recorded.lacks_field(header.name, value=_wants_value(header)):
            doubt = f"the header {header.name.decode('latin-1')}"
        elif not header.holds(recorded.request.headers):
            return ""
    for parameter in route.query:
        if recorded.lacks_parameter(parameter.name, value=_wants_value(parameter)):
            doubt = f"the parameter {parameter.name.decode('utf-8', 'replace')}"
        elif not parameter.holds(recorded.request.query):
            return ""
    return doubt


def _wants_value(condition: Condition) -> bool:
    return condition.value is not None or condition.regex is not None


def _unknown(recorded: Recorded, route: CompiledRoute, refusal: Refusal | None, missing: list[str]) -> str:
    """What one would have to know, unless the request is refused before anybody asks."""
    if refusal in _BEFORE_CALLERS:
        return ""
    addresses = route.shapes.addresses
    if addresses is not None and addresses.is_enforced and not recorded.request.address:
        return ADDRESS
    if missing:
        return missing[0]
    if refusal is not None and refusal.code in ("AUTH_ERROR", "FORBIDDEN"):
        return ""
    required = route.shapes.required_headers
    if required is not None and required.is_enforced:
        for name, rule in required.rules.items():
            if recorded.lacks_field(name, value=bool(rule.one_of) or rule.pattern is not None):
                return f"the header {name.decode('latin-1')}, which route {route.name} requires"
    return ""


def _because(found: Explanation, refusal: Refusal | None) -> str:
    if refusal is None or refusal is not found.refusal:
        return ""
    for note in found.policies:
        if note.outcome == "refuse" and (details := note.details.get("refused_for")):
            return told(details)
    return ""


def _sent(found: Explanation) -> str:
    """Without the target, which differs from one request to the next."""
    request = found.upstream_request
    if request is None:
        return ""
    path = "/" + str(request["url"]).partition("://")[2].partition("/")[2]
    return f"{request['method']} {path}"
