"""P: A route's changes to header fields, path and host, compiled; those with variables are filled in per request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from routing.patterns import PathPattern, placeholders
from routing.rewrite import CompiledRewrite, PathChange, written_path
from routing.shapes.templates import Facts, Names, Template, known_facts, template_of
from routing.snapshot import HeaderList, HeaderOps

if TYPE_CHECKING:
    from routing.document.access import HeaderOpsSpec, RewriteSpec
    from routing.document.routes import RouteSpec

_IDENTITY: Final[HeaderList] = ((b"accept-encoding", b"identity"),)
_CONSTANT: Final = frozenset({"route.name", "service.name"})
"""Variables that are the same for all requests of a route, where it has one service."""
_RANGES: Final = frozenset({b"range", b"if-range"})


def names_of(pattern: PathPattern) -> Names:
    """What a route's path calls its segments."""
    if pattern.regex is not None:
        return pattern.regex
    return placeholders(pattern.written) if pattern.kind == "template" else ()


def reads_answers(spec: RouteSpec) -> bool:
    """Whether a route makes something else of its answers' bodies."""
    return spec.envelope or (spec.transform is not None and spec.transform.response is not None)


def header_ops_of(
    spec: HeaderOpsSpec | None,
    names: Names,
    *,
    route: str = "",
    service: str = "",
    reads_answers: bool = False,
) -> HeaderOps | None:
    """Changes to a header list; None if there are none. `service` is empty where it may be one or another.

    `reads_answers`: the route makes something else of its answers, so they must come whole and uncompressed.
    """
    ops = HeaderOps() if spec is None else _ops(spec, names, known_facts(route, service))
    if reads_answers:
        chosen = {name for name, _ in (*ops.set, *ops.add, *ops.templates)}
        own = () if b"accept-encoding" in chosen else _IDENTITY
        ops = replace(ops, remove=ops.remove | (_RANGES - chosen), set=(*ops.set, *own))
    return None if ops == HeaderOps() else ops


def rewrite_of(spec: RewriteSpec | None, pattern: PathPattern) -> CompiledRewrite | None:
    """What an upstream gets to see instead of path and host."""
    if spec is None:
        return None
    names = names_of(pattern)
    host = None if spec.host is None else template_of(spec.host, names)
    made = replace(
        _path_change(spec, pattern, names),
        host=None if spec.host is None or host is not None else spec.host.encode("ascii"),
        host_template=host,
        preserve_host=spec.preserve_host,
    )
    return replace(made, is_templated=made.template is not None or host is not None)


def filled(rewrite: CompiledRewrite, facts: Facts, *, encoded_slashes: bool) -> CompiledRewrite | str:
    """A rewrite with variables, for one request; or what cannot be made of it: "path" or "host"."""
    replacement, host = rewrite.replacement, rewrite.host
    if rewrite.template is not None:
        path = rewrite.template.path(facts, encoded_slashes=encoded_slashes)
        if path is None:
            return "path"
        replacement = path
    if rewrite.host_template is not None:
        host = rewrite.host_template.host(facts)
        if host is None:
            return "host"
    return CompiledRewrite(
        rewrite.change, replacement, rewrite.prefix_segments, host=host, preserve_host=False
    )


def rendered(templates: tuple[tuple[bytes, Template], ...], facts: Facts) -> HeaderList:
    """Header fields for one request; those whose variables it does not have are left out."""
    made = [(name, template.field_value(facts)) for name, template in templates]
    return tuple([pair for pair in made if pair[1]])


def _path_change(spec: RewriteSpec, pattern: PathPattern, names: Names) -> CompiledRewrite:
    if spec.strip_prefix or spec.prefix is not None:
        return _replacing("prefix", spec.prefix, names, segments=len(pattern.segments))
    if spec.path is not None:
        return _replacing("path", spec.path, names)
    if spec.regex is not None:
        return CompiledRewrite("regex", pattern=re.compile(spec.regex.pattern), to=spec.regex.to)
    return CompiledRewrite()


def _replacing(change: PathChange, path: str | None, names: Names, *, segments: int = 0) -> CompiledRewrite:
    template = None if path is None else template_of(path, names, of_path=True)
    replacement = b"" if path is None or template is not None else written_path(path)
    return CompiledRewrite(change, replacement, prefix_segments=segments, template=template)


def _ops(spec: HeaderOpsSpec, names: Names, known: Facts) -> HeaderOps:
    """What is set anew is removed first, even where there is nothing to set: a client's own value never stands in."""
    setting, adding = _parted(spec.set, names, known), _parted(spec.add, names, known)
    removed = {name.lower().encode("ascii") for name in spec.remove} | {name for name, _ in setting[1]}
    return HeaderOps(frozenset(removed), setting[0], adding[0], (*setting[1], *adding[1]))


def _parted(
    headers: Mapping[str, str], names: Names, known: Facts
) -> tuple[HeaderList, tuple[tuple[bytes, Template], ...]]:
    """Those that are always the same, and those that are filled in."""
    fixed: list[tuple[bytes, bytes]] = []
    made: list[tuple[bytes, Template]] = []
    for name, value in headers.items():
        field, template = name.lower().encode("ascii"), template_of(value, names)
        if template is None:
            fixed.append((field, value.encode("latin-1")))
        elif template.asks <= _CONSTANT and (constant := template.field_value(known)):
            fixed.append((field, constant))
        else:
            made.append((field, template))
    return tuple(fixed), tuple(made)
