"""P: The configuration documents that Torana is measured with."""

HOST = "127.0.0.1"

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


def _forward(name: str, path: str) -> Document:
    match = {"path": path, "path_type": "prefix"}
    return {"name": name, "match": match, "service": "bench", "auth": {"level": "public"}}


def _document(upstream_port: int, routes: list[Document]) -> Document:
    service = {"name": "bench", "targets": [{"url": f"http://{HOST}:{upstream_port}"}]}
    return {"version": 1, "services": [service], "routes": routes}
