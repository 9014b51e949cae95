"""Routes in Traefik's words; tests/functional/test_discovery_traefik.py shows that a real Traefik takes them."""

from typing import Any

import pytest

from routing.compiler import CompileOptions, compile_snapshot
from routing.traefik import GATEWAY, rule_of, traefik_document

URL = "http://gateway:8000"


def rule(match: dict[str, Any]) -> str:
    raw = {"version": 1, "routes": [{"name": "r", "match": match, "respond": {"status": 204}}]}
    return rule_of(compile_snapshot(raw, revision=1, options=CompileOptions()).routes["r"])


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ({}, "PathPrefix(`/`)"),
        ({"path": "/"}, "PathPrefix(`/`)"),
        ({"path": "/a/b"}, "(Path(`/a/b`) || PathPrefix(`/a/b/`))"),
        ({"path": "/a", "path_type": "exact"}, "Path(`/a`)"),
        ({"path": "/a/{id}/b", "path_type": "template"}, "PathRegexp(`^/a/[^/]+/b$`)"),
        ({"path": "/a/b", "path_type": "template"}, "Path(`/a/b`)"),
        ({"path": "/v[0-9]+/.*", "path_type": "regex"}, "PathRegexp(`^(?:/v[0-9]+/.*)$`)"),
        ({"path": "/(?!admin).*", "path_type": "regex"}, "PathPrefix(`/`)"),
        ({"hosts": ["a.test"]}, "Host(`a.test`)"),
        ({"hosts": ["a.test", "*.b.test"]}, r"(Host(`a.test`) || HostRegexp(`^.+\.b\.test$`))"),
        ({"path": "/a", "path_type": "exact", "methods": ["POST"]}, "Path(`/a`) && Method(`POST`)"),
        ({"methods": ["PUT", "GET"]}, "(Method(`GET`) || Method(`PUT`))"),
        ({"headers": {"x-a": "1"}}, "Header(`x-a`, `1`)"),
        ({"headers": {"x-a": {"regex": "[a-c]+"}}}, "HeaderRegexp(`x-a`, `^(?:[a-c]+)$`)"),
        ({"query": {"v": {"regex": "(?=a)a"}}}, "QueryRegexp(`v`, `.*`)"),
        ({"query": {"q": 'a`b"\n'}}, 'Query(`q`, "a`b\\"\\n")'),
    ],
)
def test_rules(match: dict[str, Any], wanted: str) -> None:
    """Exactly, or where Traefik cannot say it, more widely: the gateway decides again."""
    assert rule(match) == wanted


def test_document() -> None:
    """Every router leads to the gateway, better routes first; services are there with all their web targets."""
    raw = {
        "version": 1,
        "services": [
            {"name": "orders", "targets": [{"url": "http://o:1", "weight": 2}, {"url": "unix:///s.sock"}]},
            {"name": "idle", "targets": []},
            {"name": "drained", "targets": [{"url": "http://d:1", "drain": True}]},
        ],
        "routes": [
            {"name": "all", "match": {"path": "/"}, "service": "orders"},
            {"name": "one", "match": {"path": "/a"}, "service": "orders"},
        ],
    }
    snapshot = compile_snapshot(raw, revision=1, options=CompileOptions())
    http = traefik_document(
        snapshot, {"orders": [("http://o:2", 1)], "new": [("http://n:1", 1)]}, gateway_url=URL
    )["http"]
    servers = {name: each["loadBalancer"]["servers"] for name, each in http["services"].items()}
    assert servers == {
        GATEWAY: [{"url": URL, "weight": 1}],
        "service-new": [{"url": "http://n:1", "weight": 1}],
        "service-orders": [{"url": "http://o:1", "weight": 2}, {"url": "http://o:2", "weight": 1}],
    }
    assert {name: (each["service"], each["priority"]) for name, each in http["routers"].items()} == {
        "one": (GATEWAY, 2),
        "all": (GATEWAY, 1),
    }


def test_without_routes() -> None:
    """Traefik refuses an empty mapping."""
    snapshot = compile_snapshot({"version": 1}, revision=1, options=CompileOptions())
    assert list(traefik_document(snapshot, {}, gateway_url=URL)["http"]) == ["services"]
