"""P: What the keys of a route's `cache` must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding, repeated
from routing.problems import quote

_READ: Final = ("GET", "HEAD")


def check_cache(route: Mapping[str, Any], cache: Any) -> Iterator[Finding]:
    """Findings about one route's `cache`. Only GET has answers that stand for themselves (RFC 9110 section 9.3)."""
    if not isinstance(cache, dict):
        return
    for name in ("vary", "methods", "tags"):
        yield from repeated(cache.get(name), ("cache", name))
    methods = cache.get("methods")
    if isinstance(methods, list):
        yield from _methods(methods)
    if cache.get("override") in (True, "true") and cache.get("ttl") is None:
        yield Finding("gateway.W005", ("cache", "override"), "has no effect: there is no ttl that could win")
    for name in ("respond", "redirect", "publish"):
        if route.get(name) is not None:
            yield Finding("gateway.W005", ("cache",), f"has no effect: {name} asks no service")


def _methods(methods: list[Any]) -> Iterator[Finding]:
    for index, method in enumerate(methods):
        if isinstance(method, str) and method.upper() not in _READ:
            message = (
                f"{quote(method)} has no answers that are cached; possible: GET, and HEAD, which goes with it"
            )
            yield Finding("gateway.E005", ("cache", "methods", index), message, method)
    if methods and not any(isinstance(method, str) and method.upper() == "GET" for method in methods):
        yield Finding(
            "gateway.E036", ("cache", "methods"), "needs GET: HEAD is answered from what GET has brought"
        )
