"""P: The path of a route: what it is compared with, and whether a request can ever have it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from routing.document.expressions import check_expression
from routing.document.findings import Finding
from routing.paths import BadPath, normalise_written
from routing.patterns import parse_pattern
from routing.problems import quote

PATH = ("match", "path")


def check_path(match: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings about `match.path` under its `path_type`."""
    path, kind = match.get("path"), match.get("path_type") or "prefix"
    if not isinstance(path, str) or not path:
        return
    if kind == "regex":
        yield from _regex(path)
    elif kind == "template":
        yield from _template(path)
    elif kind in ("exact", "prefix"):
        yield from _literal(path)


def _regex(path: str) -> Iterator[Finding]:
    yield from check_expression(path, PATH)
    if path.lstrip("^")[:1].isalnum():
        yield Finding("gateway.E015", PATH, f"{quote(path)} never matches: paths begin with /", path)


def _literal(path: str) -> Iterator[Finding]:
    if "{" in path and "}" in path:
        message = f"{quote(path)} has braces; say path_type: template, or %7B for a literal {{"
        yield Finding("gateway.E014", PATH, message, path)
    else:
        yield from _form(path)


def _template(path: str) -> Iterator[Finding]:
    problem = form_problem(path)
    if problem is None and isinstance(pattern := parse_pattern(path, "template"), BadPath):
        yield Finding("gateway.E014", PATH, f"{quote(path)}: {pattern.reason}", path)
    else:
        yield from _form(path)


def _form(path: str) -> Iterator[Finding]:
    problem = form_problem(path)
    if problem is not None:
        yield Finding("gateway.E013", PATH, problem, path)


def form_problem(path: str) -> str | None:
    """Why no request can have a path of this form; None: one can."""
    if not path.startswith("/"):
        return f'must begin with /; say "/{path[:100]}"' if _is_plain(path) else "must begin with /"
    for mark, name in (("?", "query"), ("#", "fragment")):
        if mark in path:
            head = path.partition(mark)[0]
            return f'{quote(path)} has a {name}; say "{head[:100]}"' + (
                " and put the parameters under match.query" if mark == "?" else ""
            )
    normal = normalise_written(path)
    if isinstance(normal, BadPath):
        return f"{quote(path)}: {normal.reason}"
    if normal.has_encoded_slash:
        return f"{quote(path)} has an encoded slash or a backslash, which no route can be found by"
    # Percent-escapes may be written or not; segments must be as they are after resolving.
    if unquote(path, errors="surrogateescape") != unquote(normal.match, errors="surrogateescape"):
        return f'{quote(path)} never arrives like this; say "{normal.match[:100]}"'
    return None


def _is_plain(path: str) -> bool:
    return bool(path) and path.isprintable() and "://" not in path and " " not in path
