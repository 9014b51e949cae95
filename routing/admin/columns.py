"""P: What a list says about a route in a word or two."""

from collections.abc import Mapping
from typing import Any

from routing.columns import DESTINATIONS


def match_text(path: str | None, path_type: str | None) -> tuple[str, str]:
    """The path as people read it, and how it is compared."""
    if path is None:
        return "any path", ""
    kind = path_type or "prefix"
    return (f"{path.rstrip('/')}/…" if kind == "prefix" else path), kind


def redirect_text(redirect: Mapping[str, Any] | None) -> str:
    """`301 to https://host/new`."""
    spec = redirect or {}
    path = spec.get("path")
    shown = path if isinstance(path, str) else "".join(str(value) for value in (path or {}).values())
    authority = ":".join(str(spec[key]) for key in ("host", "port") if spec.get(key))
    scheme = f"{spec['scheme']}://" if spec.get("scheme") else ""
    place = f"{scheme}{authority}{shown}" or "the same place"
    return f"{spec.get('status', 301)} to {place}"


def respond_text(respond: Mapping[str, Any] | None) -> str:
    """`answers 200`."""
    return f"answers {(respond or {}).get('status', 200)}"


def policies(entry: Mapping[str, Any]) -> list[str]:
    """What a route does to requests and answers beside leading somewhere."""
    found = []
    if (auth := entry.get("auth")) is not None:
        found.append(str(auth.get("level", "user")))
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


_NOT_POLICIES = frozenset({"name", "match", "priority", "enabled", "sticky", "canary", *DESTINATIONS})
