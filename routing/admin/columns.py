"""P: What a list says about a route in a word or two."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from routing.columns import DESTINATIONS

NO_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType({})


def match_text(path: str | None, path_type: str | None) -> tuple[str, str]:
    """The path as people read it, and how it is compared."""
    if path is None:
        return "any path", ""
    kind = path_type or "prefix"
    return (f"{path.rstrip('/')}/…" if kind == "prefix" else path), kind


def redirect_text(redirect: Mapping[str, Any] | None) -> str:
    """`301 to https://host/new`: what of the URL changes."""
    spec = redirect or {}
    authority = ":".join(str(spec[key]) for key in ("host", "port") if spec.get(key))
    scheme = f"{spec['scheme']}://" if spec.get("scheme") else ""
    query = f"?{spec['query']}" if spec.get("query") else ""
    place = f"{scheme}{authority}{_redirect_path(spec.get('path'))}{query}"
    unchanged = "…" if place == scheme != "" else ""
    return f"{spec.get('status', 301)} to {place}{unchanged}" if place else str(spec.get("status", 301))


def _redirect_path(path: Any) -> str:
    if isinstance(path, Mapping):
        return f"{path['prefix']}…" if path.get("prefix") else str(path.get("exact") or "")
    return str(path or "")


def respond_text(respond: Mapping[str, Any] | None) -> str:
    """`answers 200`."""
    return f"answers {(respond or {}).get('status', 200)}"


def publish_text(publish: Mapping[str, Any] | None) -> str:
    """`publishes analytics.requested`."""
    return f"publishes {(publish or {}).get('topic', '')}"


def callers(auth: Mapping[str, Any]) -> str:
    """Who may pass: `user: read role game-master`."""
    asked = [*map(str, auth.get("scopes") or ()), *(f"role {role}" for role in auth.get("roles") or ())]
    return " ".join([f"{auth.get('level', 'user')}{':' if asked else ''}", *asked])


def policies(entry: Mapping[str, Any], defaults: Mapping[str, Any] = NO_DEFAULTS) -> list[str]:
    """Who may pass, and what a route of its own does to requests and answers beside leading somewhere."""
    auth = entry.get("auth")
    found = [f"{callers(defaults.get('auth') or {})} (default)" if auth is None else callers(auth)]
    if size := (entry.get("limits") or {}).get("max_body"):
        found.append(f"body ≤ {size}")
    if entry.get("timeout"):
        found.append(f"timeout {entry['timeout']}")
    names = {
        "rewrite": "rewrite",
        "request_headers": "request headers",
        "response_headers": "response headers",
    }
    found += [text for key, text in names.items() if entry.get(key)]
    known = {"auth", "limits", "timeout", *names, *_NOT_POLICIES}
    return found + [key.replace("_", " ") for key, value in entry.items() if key not in known and value]


_NOT_POLICIES = frozenset({"name", "match", "priority", "enabled", "managed_by", *DESTINATIONS})
