"""`users/me/usage`: own requests, and what is left of quotas; nobody else's."""

import time
from collections.abc import Iterator

import pytest

from authproxy import upstreamdocs
from authproxy.upstreamdocs import UpstreamDocuments
from gateway_project import peeking
from resilience.stores.memory import MemoryStore
from routing.compiler import CompileOptions, compile_snapshot
from tests.support.endpoints import Endpoints, account
from tests.support.traffic_rows import Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db]
USAGE = "/api/v1/users/me/usage"
DOCUMENT = {
    "version": 1,
    "services": [{"name": "shop", "targets": [{"url": "http://127.0.0.1:9"}]}],
    "quotas": [
        {"name": "shared", "limit": 10, "per": "1m"},
        {"name": "each", "limit": 5, "per": "2s", "key": ["consumer", "route"]},
        {"name": "keyed", "algorithm": "fixed_window", "limit": 7, "per": "day"},
    ],
    "routes": [
        {"name": "a", "match": {"path": "/a"}, "service": "shop", "quotas": ["shared", "each"]},
        {"name": "b", "match": {"path": "/b"}, "service": "shop", "quotas": ["shared", "each", "keyed"]},
        {"name": "c", "match": {"path": "/c"}, "service": "shop", "quotas": ["keyed"], "auth": {"level": "admin"}},
    ],
}  # fmt: skip


@pytest.fixture
def gateway() -> Iterator[None]:
    """A worker that serves the document and counts by itself."""
    snapshot = compile_snapshot(DOCUMENT, revision=1, options=CompileOptions())
    documents, store = UpstreamDocuments(lambda: snapshot), MemoryStore()
    upstreamdocs.bind(documents)
    peeking.bind(store)
    yield
    upstreamdocs.unbind(documents)
    peeking.unbind(store)


def signed_in(client: Endpoints, name: str) -> str:
    account(name)
    token = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return token


@pytest.mark.usefixtures("gateway")
def test_own_requests_and_quotas_are_told() -> None:
    """Quotas that count apart are told apart; those of routes that the caller may not use are not told of."""
    worker = Worker(now=time.time())
    worker.serve(7, route="a", consumer="anna")
    worker.serve(2, route="b", consumer="bert")
    worker.write()
    client = Endpoints()
    found = client.ask(USAGE, token=signed_in(client, "anna")).json()

    assert (found["consumer"], found["range"]) == ("anna", "24h")
    assert found["usage"] == {
        "requests": 7,
        "errors": 0,
        "refused": 0,
        "routes": [{"route": "a", "requests": 7, "errors": 0, "refused": 0}],
    }
    told = [(each["quota"], each["routes"], each["per"], each["remaining"]) for each in found["quotas"]]
    assert told == [
        ("shared", ["a", "b"], "1m", 10),
        ("each", ["a"], "2s", 5),
        ("each", ["b"], "2s", 5),
        ("keyed", ["b"], "day", 7),
    ]


def test_nobody_and_nonsense_are_refused() -> None:
    """401 and 400; without a gateway in this process there are no quotas to tell of."""
    client = Endpoints()

    assert client.ask(USAGE).status_code == 401
    token = signed_in(client, "carl")
    assert client.ask(f"{USAGE}?range=1y", token=token).status_code == 400
    assert client.ask(USAGE, token=token).json()["quotas"] == []
