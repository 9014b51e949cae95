"""P: What the keys of a route's `cors` must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding, repeated

_LISTS: Final = ("origins", "methods", "headers", "expose")


def check_cors(_route: Mapping[str, Any], cors: Any) -> Iterator[Finding]:
    """Findings about one route's `cors`. With credentials browsers read `*` as a name (Fetch section 3.2.5)."""
    if not isinstance(cors, dict):
        return
    for name in _LISTS:
        listed = cors.get(name)
        yield from repeated(listed, ("cors", name))
        if not isinstance(listed, list) or "*" not in listed:
            continue
        if cors.get("credentials") in (True, "true"):
            yield Finding(
                "gateway.E022", ("cors", name), "* and credentials exclude each other; name what may come"
            )
        elif name == "origins" and len(listed) > 1:
            yield Finding("gateway.W005", ("cors", name), "* lets all origins in; the others have no effect")
    if (
        not cors.get("origins")
        and cors.get("enabled") is not False
        and any(cors.get(name) for name in (*_LISTS[1:], "credentials", "max_age"))
    ):
        yield Finding("gateway.E036", ("cors", "origins"), "says which origins may call; * lets all in")
