"""P: What the keys of a route's `auth` must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from routing.document.findings import Finding, repeated


def check_auth(_route: Mapping[str, Any], auth: Any) -> Iterator[Finding]:
    """Findings about one route's `auth`; a route that asks for rights is never public by mistake."""
    if not isinstance(auth, dict):
        return
    is_public = auth.get("level") == "public"
    for name in ("scopes", "roles"):
        if is_public and auth.get(name):
            yield Finding(
                "gateway.E022", ("auth", name), "a public route asks nobody for them; say level: user"
            )
    if not is_public and auth.get("reject_invalid") is True:
        message = "has no effect: invalid credentials are refused on every route that is not public"
        yield Finding("gateway.W005", ("auth", "reject_invalid"), message)
    if auth.get("methods") == []:
        yield Finding("gateway.E036", ("auth", "methods"), "needs at least one of jwt, api_key, session")
    for name in ("methods", "scopes", "roles"):
        yield from repeated(auth.get(name), ("auth", name))
