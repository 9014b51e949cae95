"""P: Variables in header values, paths and hosts must be on the list, and what is around them must make a path."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding
from routing.document.variables import VARIABLE, Place, check_variables, has_variables
from routing.document.wire import parse_authority
from routing.paths import BadPath, normalise_written
from routing.patterns import placeholders
from routing.problems import quote

Raw = Mapping[str, Any]
_PATHS: Final = ("path", "prefix")
_SAMPLE: Final = "x"
_GROUP: Final = re.compile(r"\(\?P<([A-Za-z_][A-Za-z0-9_]*)>")


def check_header_variables(raw: Raw, headers: object, location: tuple[str | int, ...]) -> Iterator[Finding]:
    """Findings about the values of `set` or `add`."""
    place: Place = "request_headers" if location[0] == "request_headers" else "response_headers"
    if isinstance(headers, dict):
        for name, value in headers.items():
            yield from check_variables(value, (*location, name), place, in_path=names_in_path(raw))


def check_rewrite_variables(raw: Raw, rewrite: Raw) -> Iterator[Finding]:
    """Findings about `rewrite.path`, `prefix` and `host`."""
    for key in (*_PATHS, "host"):
        value, location = rewrite.get(key), ("rewrite", key)
        if not isinstance(value, str) or not has_variables(value):
            continue
        yield from check_variables(value, location, "rewrite", in_path=names_in_path(raw))
        if key in _PATHS and not _is_normal(VARIABLE.sub(_SAMPLE, value)):
            message = f"{quote(value)} must be plain around its variables: no //, dot segments, ? or #"
            yield Finding("gateway.E013", location, message, value)


def names_in_path(raw: Raw) -> tuple[str, ...] | None:
    """The names that the route's path gives, as a template or by groups; None where there is no route yet."""
    match = raw.get("match")
    if not isinstance(match, Mapping):
        return () if "name" in raw else None
    path, kind = match.get("path"), match.get("path_type")
    if isinstance(path, str) and kind == "template":
        return tuple(name for name in placeholders(path) if name is not None)
    if isinstance(path, str) and kind == "regex":
        return tuple(_GROUP.findall(path))
    return ()


def parse_templated_authority(value: object) -> str:
    """A host with an optional port, which may hold variables."""
    if isinstance(value, str) and has_variables(value):
        parse_authority(VARIABLE.sub(_SAMPLE, value))
        return str(value)
    return parse_authority(value)


def _is_normal(path: str) -> bool:
    normal = normalise_written(path)
    return not isinstance(normal, BadPath) and normal.forward == path.encode("ascii", "replace")
