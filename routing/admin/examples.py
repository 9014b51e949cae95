"""P: A request that a route should take, made from what it matches: a start for the explain page."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from routing.curl import Request

ANY_HOST: Final = "example.com"
_PLACEHOLDER: Final = re.compile(r"\{([^}]*)\}")


def example(entry: Mapping[str, Any]) -> Request:
    """The request. A regular expression for a path is left for people to fill in."""
    match = entry.get("match") or {}
    hosts, methods = match.get("hosts") or [ANY_HOST], match.get("methods") or ["GET"]
    path = _path(str(match.get("path") or "/"), str(match.get("path_type") or "prefix"))
    query = urlencode([(name, _value(wanted)) for name, wanted in (match.get("query") or {}).items()])
    url = f"http://{str(hosts[0]).replace('*', 'any')}{path}" + (f"?{query}" if query else "")
    headers = tuple((str(name), _value(wanted)) for name, wanted in (match.get("headers") or {}).items())
    return Request(str(methods[0]), url, headers)


def _path(path: str, kind: str) -> str:
    if kind == "template":
        return _PLACEHOLDER.sub(lambda found: found[1].strip("*") or "x", path)
    return path.removeprefix("^").removesuffix("$") if kind == "regex" else path


def _value(wanted: Any) -> str:
    """The wanted text, or the pattern itself where only a pattern is known."""
    if isinstance(wanted, Mapping):
        return str(wanted.get("exact") or wanted.get("regex") or "")
    return str(wanted)
