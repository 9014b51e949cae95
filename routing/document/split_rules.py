"""P: What `backends` and the keys that go with them must be to each other. Reads raw values; wrong types are
reported elsewhere."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from routing.document.findings import Finding, repeated
from routing.document.wire import is_token
from routing.problems import quote

_SPECIAL: Final = frozenset({"host", "authorization", "cookie"})
"""Header fields that say something else already."""


def check_backends(route: Mapping[str, Any], backends: Any) -> Iterator[Finding]:
    """Findings about a route that shares its requests among services."""
    if not isinstance(backends, list):
        return
    parts = [backend for backend in backends if isinstance(backend, dict)]
    if parts and all(backend.get("weight", 1) == 0 for backend in parts):
        yield Finding("gateway.E036", ("backends",), "at least one weight must be above 0")
    yield from _canary(route.get("canary"), len(parts))
    if isinstance(route.get("canary"), dict) and route.get("cache"):
        message = "does not go with canary: kept answers would outlive its steps, and what it took back"
        yield Finding("gateway.E022", ("cache",), message)
    yield from repeated([part.get("service") for part in parts], ("backends",), "service")
    sticky, force = route.get("sticky"), route.get("force")
    yield from _named(sticky, "sticky")
    yield from _named(force, "force")
    if _cookie(sticky) is not None and _cookie(sticky) == _cookie(force):
        yield Finding(
            "gateway.E022", ("force", "cookie"), "is the cookie that sticky sets itself; name another"
        )


def _canary(canary: object, backends: int) -> Iterator[Finding]:
    """It takes requests from somebody, and its share only grows."""
    if not isinstance(canary, dict):
        return
    if backends < 2:
        yield Finding("gateway.E036", ("canary",), "needs two backends at least: the last one is the canary")
    steps = canary.get("steps")
    if not isinstance(steps, list):
        return
    if not steps:
        yield Finding("gateway.E036", ("canary", "steps"), "at least one step is needed")
    numbers = [step for step in steps if isinstance(step, int | float)]
    if any(after <= before for before, after in pairwise(numbers)):
        yield Finding("gateway.E036", ("canary", "steps"), "each step must be above the one before")


def _named(part: object, key: str) -> Iterator[Finding]:
    """Cookies and header fields are named by tokens (RFC 6265 section 4.1.1, RFC 9110 section 5.1)."""
    if not isinstance(part, dict):
        return
    for kind in ("header", "cookie"):
        name = part.get(kind)
        if not isinstance(name, str):
            continue
        if not is_token(name):
            yield Finding("gateway.E018", (key, kind), f"{quote(name)} is not the name of a {kind}", name)
        elif kind == "header" and name.lower() in _SPECIAL:
            yield Finding("gateway.E018", (key, kind), f"{quote(name)} says something else already", name)


def _cookie(part: object) -> object:
    return part.get("cookie") if isinstance(part, dict) else None
