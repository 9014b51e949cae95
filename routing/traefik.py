"""P: The routes as a dynamic configuration of Traefik 3, for its HTTP provider.

Traefik stands before the gateway then: every router leads to the gateway, which alone knows who may pass, and rules
only say what is a route's. What a rule cannot say exactly, it says more widely; the gateway decides. The services are
there with their targets, for routers of one's own.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from routing.conditions import HeaderCondition, QueryCondition
from routing.patterns import PathPattern
from routing.snapshot import CompiledRoute, CompiledService, Snapshot

GATEWAY: Final = "torana-gateway"
"""No service of a document has this name with a prefix before it."""
_PREFIX: Final = "service-"
_NOT_IN_GO: Final = re.compile(r"\(\?[^:P]|\(\?P=|\\[1-9ZAGX]|[*+?}]\+|\\[uUN]")
"""What Python's expressions have and Go's lack: look-around, back references, possessive quantifiers, some escapes."""
Leased = Mapping[str, Sequence[tuple[str, int]]]


def traefik_document(snapshot: Snapshot, leased: Leased, *, gateway_url: str) -> dict[str, Any]:
    """`leased` are URLs and weights of discovered targets by service; `gateway_url` is where Traefik finds us."""
    routes = sorted(snapshot.routes.values(), key=lambda route: route.rank)
    services = {GATEWAY: _balancer([(gateway_url, 1)])}
    for name in sorted({*snapshot.services, *leased}):
        servers = [*_web_targets(snapshot.services.get(name)), *leased.get(name, ())]
        if servers:
            services[f"{_PREFIX}{_safe(name)}"] = _balancer(servers)
    routers = {
        _safe(route.name): {"rule": rule_of(route), "service": GATEWAY, "priority": len(routes) - place}
        for place, route in enumerate(routes)
    }
    http: dict[str, Any] = {"services": services}
    return {"http": {"routers": routers, **http} if routers else http}


def rule_of(route: CompiledRoute) -> str:
    """When a request is the route's, in Traefik's words."""
    parts = [
        _any(_host(host) for host in route.hosts),
        _path(route.pattern),
        _any(f"Method({_go(method)})" for method in route.methods),
        *(_asked("Header", each.name.decode("latin-1"), each) for each in route.headers),
        *(_asked("Query", each.name.decode("utf-8", "replace"), each) for each in route.query),
    ]
    return " && ".join(filter(None, parts)) or "PathPrefix(`/`)"


def _host(host: str) -> str:
    if host.startswith("*."):
        return f"HostRegexp({_go(rf'^.+{re.escape(host[1:])}$')})"
    return f"Host({_go(host)})"


def _path(pattern: PathPattern) -> str:
    """A prefix of ours stands for whole segments, Traefik's for characters. Rules see the decoded path."""
    if pattern.kind == "exact":
        return f"Path({_go(pattern.text)})"
    if pattern.kind == "regex":
        text = f"^(?:{pattern.text})$"
        return "" if _NOT_IN_GO.search(pattern.text) else f"PathRegexp({_go(text)})"
    if not pattern.segments:
        return ""
    if None in pattern.segments:
        segments = ("[^/]+" if each is None else re.escape(each) for each in pattern.segments)
        return f"PathRegexp({_go('^/' + '/'.join(segments) + '$')})"
    if pattern.kind == "prefix":
        return f"(Path({_go(pattern.text)}) || PathPrefix({_go(pattern.text + '/')}))"
    return f"Path({_go(pattern.text)})"


def _asked(what: str, name: str, condition: HeaderCondition | QueryCondition) -> str:
    if condition.value is not None:
        return f"{what}({_go(name)}, {_go(condition.value.decode('utf-8', 'replace'))})"
    text = condition.regex.pattern if condition.regex is not None else ""
    text = "" if _NOT_IN_GO.search(text) else text
    return f"{what}Regexp({_go(name)}, {_go(f'^(?:{text})$' if text else '.*')})"


def _any(rules: Iterable[str]) -> str:
    found = list(rules)
    return found[0] if len(found) == 1 else f"({' || '.join(found)})" if found else ""


def _go(text: str) -> str:
    """A string literal of Go."""
    if "`" not in text and text.isprintable():
        return f"`{text}`"
    return json.dumps(text, ensure_ascii=False)


def _safe(name: str) -> str:
    """An @ would name another provider."""
    return name.replace("@", "-")


def _web_targets(service: CompiledService | None) -> list[tuple[str, int]]:
    """Targets that Traefik can reach: no Unix sockets."""
    if service is None:
        return []
    return [(each.url, each.weight) for each in service.targets if each.scheme != "unix" and not each.drain]


def _balancer(servers: Iterable[tuple[str, int]]) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url, "weight": weight} for url, weight in servers]}}
