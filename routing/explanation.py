"""P: What an explanation holds, as values, as JSON (`explain --json`) and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Matched:
    """What took the request. `route` is None for an endpoint of the gateway itself, named by `builtin`."""

    route: str | None
    service: str | None
    why: tuple[str, ...]
    builtin: str | None = None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A route that did not take the request, and the first reason."""

    route: str
    because: str


@dataclass(frozen=True, slots=True)
class PolicyNote:
    """What one policy of the route makes of the request.

    `source` is route, defaults, plan NAME, service, environment or built-in; `outcome` is pass, applies or refuse.
    """

    name: str
    source: str
    outcome: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer that the gateway would give instead, as in the error envelope."""

    status: int
    code: str
    message: str
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of a request. Nothing is sent to find out."""

    revision: int
    matched: Matched | None
    passed_over: tuple[PassedOver, ...] = ()
    more_passed_over: int = 0  # routes that are left out of `passed_over`, being further off
    policies: tuple[PolicyNote, ...] = ()
    upstream_request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None  # of a route that needs no upstream
    targets: tuple[Mapping[str, Any], ...] = ()
    refusal: Refusal | None = None

    def to_json(self) -> dict[str, Any]:
        """The shape of `explain --json`."""
        return {
            "revision": self.revision,
            "matched": None if self.matched is None else _matched(self.matched),
            "passed_over": [{"route": item.route, "because": item.because} for item in self.passed_over],
            "more_passed_over": self.more_passed_over,
            "policies": [
                {"name": note.name, "source": note.source, "outcome": note.outcome, "details": note.details}
                for note in self.policies
            ],
            "upstream_request": self.upstream_request,
            "answer": self.answer,
            "targets": list(self.targets),
            "refusal": None if self.refusal is None else _refusal(self.refusal),
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        matched = self.matched
        if matched is None:
            yield "no route matched"
        else:
            name = (
                f"route {matched.route}" if matched.route else f"the gateway's own endpoint {matched.builtin}"
            )
            yield f"matched: {name}" + (f" → service {matched.service}" if matched.service else "")
            yield from (f"  {reason}" for reason in matched.why)
        if self.refusal is not None:
            yield f"refused: {self.refusal.status} {self.refusal.code}: {self.refusal.message}"
        for note in self.policies:
            yield f"policy {note.name} ({note.source}): {note.outcome} {told(note.details)}".rstrip()
        if self.upstream_request is not None:
            yield f"upstream: {self.upstream_request['method']} {self.upstream_request['url']}"
            yield f"  Host: {self.upstream_request['host']}"
        if self.answer is not None:
            yield f"answer: {told(self.answer)}"
        for target in self.targets:
            yield _target_text(target)
        for item in self.passed_over:
            yield f"passed over: {item.route}: {item.because}"
        if self.more_passed_over:
            yield f"passed over: {self.more_passed_over} more, further off"


def _target_text(target: Mapping[str, Any]) -> str:
    """`target: http://h (chosen, weight 3, backup, registered by robot, healthy)`."""
    words = [
        "chosen" if target.get("chosen") else "",
        f"weight {target['weight']}" if target.get("weight", 1) != 1 else "",
        f"zone {target['zone']}" if target.get("zone") else "",
        "backup" if target.get("backup") else "",
        f"registered by {target['registered_by']}" if target.get("registered_by") else "",
        target.get("state") or "",
    ]
    said = ", ".join(filter(None, words))
    return f"target: {target['url']}" + (f" ({said})" if said else "")


def _matched(matched: Matched) -> dict[str, Any]:
    found = {"route": matched.route, "service": matched.service, "why": list(matched.why)}
    return found if matched.builtin is None else {**found, "builtin": matched.builtin}


def _refusal(refusal: Refusal) -> dict[str, Any]:
    found: dict[str, Any] = {"status": refusal.status, "code": refusal.code, "message": refusal.message}
    return {**found, "allow": list(refusal.allow)} if refusal.allow else found


def told(details: Mapping[str, Any]) -> str:
    """Details for people: `scopes read write, caller (name ada, kind user)`; what says nothing is left out."""
    said = {name: value for name, value in details.items() if value not in (None, "", [], {})}
    return ", ".join(f"{name} {_text(value)}" for name, value in said.items())


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return f"({told(value)})"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
