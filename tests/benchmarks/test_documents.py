"""The documents that are measured are such as the gateway takes."""

import pytest

from benchmarks import documents, holding
from benchmarks.documents import Document
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import Snapshot


def compiled(document: Document) -> Snapshot:
    return compile_snapshot(document, revision=1, options=CompileOptions())


def test_each_row_has_a_route_that_does_what_it_says() -> None:
    """Quotas, breaker, retries, balancing, concurrency, each by itself, and all of them on one route."""
    snapshot = compiled(documents.traffic(9001))
    by_path = {
        f"/{'threefold' if name == 'quotas' else name}": route for name, route in snapshot.routes.items()
    }
    assert {row.path for row in holding.ROWS} == set(by_path)
    assert [len(by_path[path].quotas) for path in ("/bare", "/quota", "/threefold", "/all")] == [0, 1, 3, 1]
    assert by_path["/crowd"].concurrency is not None
    services = snapshot.services
    have = {name: (each.breaker, each.retries, each.ejection, each.health) for name, each in services.items()}
    assert [part is None for part in have["bench"]] == [True] * 4
    assert [part is None for part in have["all"]] == [False] * 4
    assert [len(services[name].targets) for name in ("bench", "least", "all")] == [1, 2, 2]
    assert services["all"].balancing.algorithm == "least_connections"


@pytest.mark.parametrize("interval", ["5s", None])
def test_targets_are_checked_only_with_an_interval(interval: str | None) -> None:
    """The same targets, so that the difference is the checks'."""
    service = compiled(documents.checked(9001, targets=7, interval=interval)).services["bench"]
    assert len(service.targets) == 7
    assert (service.health is not None) == (interval is not None)


def test_callers_are_counted_apart() -> None:
    """By a header field that the load sends."""
    (quota,) = compiled(documents.limited(9001, limit=10, per="1h")).routes["all"].quotas
    assert (quota.keys, quota.limit, quota.per_s) == (("header:x-caller",), 10, 3600.0)
