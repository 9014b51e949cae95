"""P: Where a client has to call for an upstream's path to be reached: routes and their rewrites, turned around.

A path that no route leads to has no public form. What cannot be turned around (a regular expression's rewrite, a path
made of variables) has none either, and the caller of `cannot_turn` may say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from routing.matching import RouteIndex
from routing.snapshot import CompiledRoute, Forward
from routing.splitting import Split

_PLACEHOLDER: Final = re.compile(r"\{[^/{}]*\}")
_SAMPLES: Final = ("torana-sample", "1")
_NOWHERE: Final = b"torana-sample.invalid"
Segments = list[str]


def routes_to(service: str, routes: Sequence[CompiledRoute]) -> list[CompiledRoute]:
    """Those whose requests may go to the service as they are."""
    return [route for route in routes if _leads(route, service)]


def _leads(route: CompiledRoute, service: str) -> bool:
    match route.destination:
        case Forward(service=name):
            return name == service
        case Split() as split:
            return service in split.services
    return False


def cannot_turn(route: CompiledRoute) -> str | None:
    """Why no public path is known for a route; None: it is."""
    rewrite = route.rewrite
    if rewrite is not None and rewrite.change == "regex":
        return "its paths are rewritten by a regular expression, which cannot be turned around"
    if rewrite is not None and rewrite.template is not None:
        return "its path is made of variables, which cannot be turned around"
    return None


def public_path(route: CompiledRoute, upstream: str) -> str | None:
    """The path that a client calls for `upstream` (both may have {placeholders}); None: the route leads elsewhere."""
    if cannot_turn(route) is not None:
        return None
    rewrite, pattern = route.rewrite, route.pattern
    written = pattern.written or pattern.text
    if rewrite is None or rewrite.change == "none":
        return _fitted(route, upstream)
    replacement = rewrite.replacement.decode("ascii")
    if rewrite.change == "path":
        whole = upstream == replacement and pattern.kind != "regex"
        return written if whole else None
    kept = replacement.removesuffix("/")
    if upstream != kept and not upstream.startswith(f"{kept}/"):
        return None
    front = "/".join(written.split("/")[: rewrite.prefix_segments + 1]).removesuffix("/")
    return _fitted(route, front + upstream[len(kept) :])


def _fitted(route: CompiledRoute, path: str) -> str | None:
    """The path as far as the pattern takes it: where the pattern is literal, a placeholder can only be that."""
    pattern = route.pattern
    if pattern.regex is not None:
        samples = (_PLACEHOLDER.sub(sample, path) for sample in _SAMPLES)
        return path if any(pattern.regex.fullmatch(sample) for sample in samples) else None
    given = path.split("/")[1:]
    wanted = pattern.segments
    if len(given) < len(wanted) or (pattern.kind != "prefix" and len(given) != len(wanted)):
        return None
    fitted: Segments = []
    for there, here in zip(given, wanted, strict=False):
        is_open = _PLACEHOLDER.fullmatch(there) is not None
        if here is not None and here != there and not is_open:
            return None
        fitted.append(there if here is None or here == there else here)
    return "/" + "/".join(fitted + given[len(wanted) :])


def takes(index: RouteIndex, route: CompiledRoute, method: str, path: str) -> bool:
    """Whether a request of this method and path gets to the route, or to another one or to the gateway itself.

    What a route asks of headers and the query is not tried: the operation says so instead.
    """
    if route.methods and method not in route.methods:
        return False
    if route.headers or route.query:
        return True
    host = route.hosts[0].replace("*", "torana-sample").encode("ascii") if route.hosts else _NOWHERE
    sample = _PLACEHOLDER.sub(_SAMPLES[0], path)
    found = index.match(method, host, sample, (), b"")
    if found is not route and "{" in path:
        found = index.match(method, host, _PLACEHOLDER.sub(_SAMPLES[1], path), (), b"")
    return found is route
