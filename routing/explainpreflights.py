"""P: What becomes of a CORS preflight, for explain: it is answered before anybody asks who calls."""

from __future__ import annotations

from dataclasses import replace

from routing.explanation import Explanation, Refusal
from routing.shapes.cors import cors_note, origin_of, preflight_fields
from routing.snapshot import CompiledRoute, HeaderList

STRANGER = Refusal(403, "FORBIDDEN", "Pages of this origin may not call here.")


def permitted(
    explanation: Explanation, route: CompiledRoute, method: str, headers: HeaderList, source: str
) -> Explanation:
    """The answer to a preflight that asks for `method`; `source` says where the route's policy comes from."""
    policy = route.shapes.cors
    assert policy is not None  # else it is none
    notes = tuple(cors_note(policy, source, headers))
    origin = origin_of(headers)
    if not policy.allows(origin):
        return replace(explanation, policies=notes, refusal=explanation.refusal or STRANGER)
    fields = preflight_fields(policy, origin, method)
    said = {name.decode("ascii"): value.decode("latin-1") for name, value in fields}
    return replace(explanation, policies=notes, answer={"status": 204, "headers": said})
