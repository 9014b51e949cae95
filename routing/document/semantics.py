"""P: What the schema cannot say of an entry: keys that need or exclude each other, paths, expressions, TLS.

Each function looks at one parsed entry and yields findings with their place inside it. References to other entries
are `routing.validation`'s.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from routing.document.access import RewriteSpec
from routing.document.destinations import DESTINATIONS, RedirectSpec, RespondSpec
from routing.document.expressions import check_expression, check_replacement
from routing.document.findings import Finding, below
from routing.document.interpolation import Filled
from routing.document.matches import MatchSpec, ValueMatchSpec
from routing.document.routes import RouteFields
from routing.document.services import ServiceSpec, TargetSpec, TlsSpec
from routing.paths import BadPath, normalise_written
from routing.patterns import parse_pattern
from routing.problems import quote

_BODILESS: Final = (204, 205, 304)
_TLS_PROTOCOLS: Final = ("https", "h2")
_PATH_CHANGES: Final = ("strip_prefix", "prefix", "path", "regex")


def check_service_spec(service: ServiceSpec) -> Iterator[Finding]:
    """Targets against each other and against the protocol; TLS settings."""
    if not service.targets:
        yield Finding("gateway.W004", ("targets",), "is empty: requests are answered 503 until there is one")
    yield from _check_targets(service)
    if service.tls is not None:
        yield from below(_check_tls(service.tls, service.targets), "tls")


def _check_targets(service: ServiceSpec) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, target in enumerate(service.targets):
        place = ("targets", index, "url")
        scheme = target.url.partition(":")[0]
        if target.url in seen:
            yield Finding("gateway.E032", place, f"{quote(target.url)} is there already", target.url)
        seen.add(target.url)
        if service.protocol in _TLS_PROTOCOLS and scheme != "https":
            message = f"{quote(target.url)}: protocol {service.protocol} needs https:// targets"
            yield Finding("gateway.E021", place, message, target.url)
        if service.protocol == "h2c" and scheme == "https":
            message = f"{quote(target.url)}: protocol h2c is without TLS; say h2 for HTTP/2 over TLS"
            yield Finding("gateway.E021", place, message, target.url)


def _check_tls(tls: TlsSpec, targets: Iterable[TargetSpec]) -> Iterator[Finding]:
    if tls.key is not None and tls.cert is None:
        yield Finding("gateway.E025", ("key",), "needs cert")
    if tls.key is not None and "-----BEGIN" in tls.key and not isinstance(tls.key, Filled):
        message = "a private key must not be written out; give a file's path, or ${VAR}"
        yield Finding("gateway.E026", ("key",), message)
    if not tls.verify and tls.ca is not None:
        yield Finding("gateway.W005", ("ca",), "has no effect while verify is false")
    if not any(target.url.startswith("https:") for target in targets):
        yield Finding("gateway.W005", (), "has no effect: no target is https://")


def check_route_fields(route: RouteFields, *, is_whole: bool) -> Iterator[Finding]:
    """A route, or (`is_whole` false) the defaults, which need not be complete."""
    match = route.match
    yield from below(_check_match(match, allow_encoded_slashes=route.allow_encoded_slashes), "match")
    given = [name for name in DESTINATIONS if getattr(route, name)]
    if len(given) > 1:
        message = f"has {len(given)} destinations ({', '.join(given)}); a route needs exactly one"
        yield Finding("gateway.E012", (given[-1],), message)
    if is_whole and not given:
        message = "has no destination; a route needs exactly one of service, redirect or respond"
        yield Finding("gateway.E012", (), message)
    if route.rewrite is not None:
        yield from below(_check_rewrite(route.rewrite, match), "rewrite")
    if route.redirect is not None:
        yield from below(_check_redirect(route.redirect, match), "redirect")
    if route.respond is not None:
        yield from below(_check_respond(route.respond), "respond")


def _check_match(match: MatchSpec, *, allow_encoded_slashes: bool) -> Iterator[Finding]:
    if match.path is not None:
        yield from _check_path(match, match.path, allow_encoded_slashes=allow_encoded_slashes)
    for section in ("headers", "query"):
        conditions: dict[str, ValueMatchSpec] = getattr(match, section)
        for name, condition in conditions.items():
            yield from below(_check_value_match(condition), section, name)
    if len(set(match.hosts)) != len(match.hosts):
        yield Finding("gateway.E032", ("hosts",), "names a host twice")
    if len(set(match.methods)) != len(match.methods):
        yield Finding("gateway.E032", ("methods",), "names a method twice")


def _check_path(match: MatchSpec, path: str, *, allow_encoded_slashes: bool) -> Iterator[Finding]:
    place = ("path",)
    if match.path_type == "regex":
        yield from check_expression(path, place)
        return
    if not path.startswith("/"):
        yield Finding("gateway.E013", place, f'{quote(path)} must begin with /; say "/{path[:60]}"', path)
        return
    pattern = parse_pattern(str(path), match.path_type)
    if isinstance(pattern, BadPath):
        problem_id = "gateway.E014" if match.path_type == "template" else "gateway.E013"
        yield Finding(problem_id, place, f"{quote(path)}: {pattern.reason}", path)
    elif match.path_type != "template":
        yield from _check_normal(path, allow_encoded_slashes=allow_encoded_slashes)


def _check_normal(path: str, *, allow_encoded_slashes: bool) -> Iterator[Finding]:
    normal = normalise_written(str(path))
    if isinstance(normal, BadPath):
        return
    if normal.has_encoded_slash and not allow_encoded_slashes:
        message = f"{quote(path)} has an encoded slash: only a route with allow_encoded_slashes can match it"
        yield Finding("gateway.E013", ("path",), message, path)
    forwarded = normal.forward.decode("ascii")
    if path.isascii() and "%" not in path and " " not in path and forwarded != path:
        message = f"{quote(path)} is never what a request has after normalisation; say {quote(forwarded)}"
        yield Finding("gateway.E013", ("path",), message, path)


def _check_value_match(condition: ValueMatchSpec) -> Iterator[Finding]:
    if condition.exact is not None and condition.regex is not None:
        yield Finding("gateway.E022", ("regex",), "excludes exact")
    elif condition.exact is None and condition.regex is None:
        yield Finding("gateway.E036", (), "needs a text, or {regex: …}")
    if condition.regex is not None:
        yield from check_expression(condition.regex, ("regex",))


def _check_rewrite(rewrite: RewriteSpec, match: MatchSpec) -> Iterator[Finding]:
    given = [name for name in _PATH_CHANGES if getattr(rewrite, name)]
    if len(given) > 1:
        yield Finding("gateway.E022", (given[-1],), f"excludes {', '.join(given[:-1])}")
    for name in ("strip_prefix", "prefix"):
        if getattr(rewrite, name) and match.path_type != "prefix":
            yield Finding("gateway.E036", (name,), "needs match.path_type prefix")
    if rewrite.host is not None and rewrite.preserve_host:
        yield Finding("gateway.E022", ("preserve_host",), "excludes host")
    if rewrite.regex is not None:
        yield from check_expression(rewrite.regex.pattern, ("regex", "pattern"))
        yield from check_replacement(rewrite.regex.pattern, rewrite.regex.to, ("regex", "to"))


def _check_redirect(redirect: RedirectSpec, match: MatchSpec) -> Iterator[Finding]:
    parts = (redirect.scheme, redirect.host, redirect.port, redirect.path, redirect.query)
    if all(part is None for part in parts):
        yield Finding("gateway.E023", (), "leads nowhere: name a scheme, host, port, path or query")
    path = redirect.path
    if path is None:
        return
    if (path.exact is None) == (path.prefix is None):
        yield Finding("gateway.E022", ("path",), "needs either a path or {prefix: …}")
    if path.prefix is not None and match.path_type != "prefix":
        yield Finding("gateway.E036", ("path", "prefix"), "needs match.path_type prefix")


def _check_respond(respond: RespondSpec) -> Iterator[Finding]:
    if respond.body and respond.status in _BODILESS:
        yield Finding("gateway.E024", ("body",), f"status {respond.status} has no body")
