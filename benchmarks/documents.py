"""P: The configuration documents that Torana is measured with."""

from typing import Any

HOST = "127.0.0.1"
_PLENTY = 1_000_000
"""A limit that no run comes near."""

Document = dict[str, object]


def bare(upstream_port: int) -> Document:
    """One public route that takes every path."""
    return _document(upstream_port, [_forward("all", "/")])


def many(upstream_port: int, *, routes: int) -> Document:
    """So many public prefix routes, `/route-00000` and on."""
    return _document(upstream_port, [_forward(f"route-{n:05d}", f"/route-{n:05d}") for n in range(routes)])


def marked(upstream_port: int, *, routes: int, mark: str) -> Document:
    """Many routes, and `/mark`, which answers with the mark itself: what a publish changes."""
    document = many(upstream_port, routes=routes)
    respond = {"status": 200, "headers": {"content-type": "text/plain"}, "body": mark}
    entry: Document = {
        "name": "mark",
        "match": {"path": "/mark", "path_type": "exact"},
        "respond": respond,
        "auth": {"level": "public"},
    }
    entries = document["routes"]
    assert isinstance(entries, list)
    entries.append(entry)
    return document


def guarded(upstream_port: int) -> Document:
    """`/open` for anybody, `/user` for whoever proves who they are."""
    user: Document = {"name": "user", "match": {"path": "/user"}, "service": "bench"}
    return _document(upstream_port, [_forward("open", "/open"), user])


def traffic(upstream_port: int) -> Document:
    """A route for each way to hold traffic in check, `/bare` for none and `/all` for all; nothing is ever refused."""
    two = {**_service("", upstream_port), "load_balancing": "least_connections"}
    two["targets"] = [*two["targets"], {"url": f"http://{HOST}:{upstream_port}/b"}]
    services = [
        _service("bench", upstream_port),
        {**_service("breaker", upstream_port), "breaker": {}},
        {**_service("retries", upstream_port), "retries": {}},
        {**two, "name": "least"},
        {**_service("crowd", upstream_port), "max_concurrency": _PLENTY},
        {**two, "name": "all", "breaker": {}, "retries": {}, "ejection": {}, "health": {"path": "/"}},
    ]
    routes = [
        _forward("bare", "/bare"),
        {**_forward("quota", "/quota"), "quotas": ["one"]},
        {**_forward("quotas", "/threefold"), "quotas": ["one", "two", "three"]},
        *(_forward(name, f"/{name}", service=name) for name in ("breaker", "retries", "least")),
        {**_forward("crowd", "/crowd", service="crowd"), "limits": {"max_concurrency": _PLENTY}},
        {"name": "all", "match": {"path": "/all"}, "service": "all", "quotas": ["one"]},
    ]
    quotas = [
        {"name": name, "limit": _PLENTY, "per": "1s", "key": [key]}
        for name, key in (("one", "consumer"), ("two", "ip"), ("three", "route"))
    ]
    return {"version": 1, "services": services, "quotas": quotas, "routes": routes}


def shaping(upstream_port: int, slow_port: int) -> Document:
    """A route for each way to read and change answers, `/bare` for none; all answers are JSON.

    `/slow` joins three answers of the other upstream, which takes its time.
    """
    names = ("one", "two", "three")
    whole: Document = {"parts": {name: {"service": "bench", "path": "/part.json"} for name in names}}
    slow: Document = {"parts": {name: {"service": "slow", "path": "/slow.json"} for name in names}}
    fields: Document = {"set": {"x-one": "1", "x-route": "${route.name}"}, "remove": ["x-upstream"]}
    joined: Document = {"name": "aggregate", "match": {"path": "/aggregate"}, "auth": {"level": "public"}}
    routes: list[Document] = [
        _forward("bare", "/bare"),
        {**_forward("envelope", "/envelope"), "envelope": True, "response_headers": fields},
        {**_forward("transform", "/transform"), "transform": {"response": "{names: items[].name}"}},
        {**_forward("cached", "/cached"), "cache": {"ttl": "1h"}},
        {**joined, "aggregate": whole},
        {**joined, "name": "slow", "match": {"path": "/slow"}, "aggregate": slow},
    ]
    document = _document(upstream_port, routes)
    return {**document, "services": [_service("bench", upstream_port), _service("slow", slow_port)]}


def sockets(upstream_port: int) -> Document:
    """Any path leads to a WebSocket upstream."""
    return _document(upstream_port, [{**_forward("all", "/"), "websocket": {}}])


def limited(upstream_port: int, *, limit: int, per: str) -> Document:
    """One public route with a quota for each value of X-Caller."""
    quota = {"name": "callers", "limit": limit, "per": per, "key": [{"header": "x-caller"}]}
    route = {**_forward("all", "/"), "quotas": ["callers"]}
    return {**_document(upstream_port, [route]), "quotas": [quota]}


def fleet(host: str, upstream_port: int, *, routes: int, limit: int, mark: str) -> Document:
    """`/bare`, `/quota` (never refused) and `/limited` (a second's limit) by X-Caller, `/mark`, and more routes."""
    document = marked(upstream_port, routes=routes, mark=mark)
    document["services"] = [{"name": "bench", "targets": [{"url": f"http://{host}:{upstream_port}"}]}]
    document["quotas"] = [
        {"name": name, "limit": most, "per": "1s", "key": [{"header": "x-caller"}]}
        for name, most in (("plenty", _PLENTY), ("callers", limit))
    ]
    entries = document["routes"]
    assert isinstance(entries, list)
    entries += [
        _forward("bare", "/bare"),
        {**_forward("quota", "/quota"), "quotas": ["plenty"]},
        {**_forward("limited", "/limited"), "quotas": ["callers"]},
    ]
    return document


def checked(upstream_port: int, *, targets: int, interval: str | None) -> Document:
    """A service of so many targets; with an interval, each is checked that often."""
    service: Document = {
        "name": "bench",
        "targets": [{"url": f"http://{HOST}:{upstream_port}/{number:05d}"} for number in range(targets)],
    }
    if interval is not None:
        service["health"] = {"path": "/health", "interval": interval}
    return {"version": 1, "services": [service], "routes": [_forward("all", "/")]}


def _forward(name: str, path: str, *, service: str = "bench") -> Document:
    match = {"path": path, "path_type": "prefix"}
    return {"name": name, "match": match, "service": service, "auth": {"level": "public"}}


def _service(name: str, upstream_port: int) -> dict[str, Any]:
    return {"name": name, "targets": [{"url": f"http://{HOST}:{upstream_port}"}]}


def _document(upstream_port: int, routes: list[Document]) -> Document:
    return {"version": 1, "services": [_service("bench", upstream_port)], "routes": routes}
