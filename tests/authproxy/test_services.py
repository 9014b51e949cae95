"""What forwarding keeps of each service."""

from random import Random
from typing import Any

from authproxy.services import ServiceRuntime, Upstreams
from authproxy.upstream.base import Transport
from resilience.breakers import Breakers
from resilience.ejection import Ejected, Returned
from resilience.state import StateTable
from routing.compiler import CompileOptions
from routing.problems import ConfigurationInvalid, Problem
from routing.registry import Registry
from routing.revision import RevisionRecord
from routing.snapshot import CompiledService, Snapshot
from routing.targets import parse_target
from tests.support.snapshots import snapshot_of


def service(name: str = "s", *urls: str, **keys: object) -> dict[str, object]:
    return {"name": name, "targets": [{"url": url} for url in urls or ("http://127.0.0.1:1",)], **keys}


def compiled(
    upstreams: Upstreams, *services: dict[str, object], previous: Snapshot | None = None
) -> Snapshot:
    from routing.compiler import compile_snapshot

    options = CompileOptions(prepare_service=upstreams.prepare)
    raw = {"version": 1, "services": list(services)}
    return compile_snapshot(raw, revision=1, options=options, previous=previous)


def runtime(snapshot: Snapshot, name: str = "s") -> ServiceRuntime:
    prepared = snapshot.services[name].runtime
    assert isinstance(prepared, ServiceRuntime)
    return prepared


def new_upstreams() -> Upstreams:
    return Upstreams(StateTable(), rng=Random(1))


async def test_endpoints_are_parsed_once() -> None:
    """URL, Host and base path are ready; a Unix socket keeps its path."""
    upstreams = new_upstreams()
    snapshot = compiled(upstreams, service("s", "http://[::1]:8001/base/", "unix:///run/app.sock"))
    first, second = runtime(snapshot).endpoints

    assert first.host == (b"host", b"[::1]:8001")
    assert first.base_path == b"/base"
    assert (first.url.scheme, first.url.host, first.url.port) == ("http", "::1", 8001)
    assert second.url.scheme == "unix"


async def test_a_transport_outlives_a_change_of_targets() -> None:
    """Connections are not closed because something else about the service changed."""
    upstreams = new_upstreams()
    before = compiled(upstreams, service("s", "http://127.0.0.1:1"))
    after = compiled(upstreams, service("s", "http://127.0.0.1:2", timeout={"total": "1s"}))

    assert runtime(after).transport is runtime(before).transport
    assert runtime(after).state is runtime(before).state
    assert runtime(after).total_timeout_s == 1.0


async def test_other_connection_settings_mean_another_transport() -> None:
    """A new limit of connections makes a new pool; the old one is handed out for closing."""
    upstreams = new_upstreams()
    before = compiled(upstreams, service("s"))
    after = compiled(upstreams, service("s", max_connections=3))
    closing: list[Transport] = []

    upstreams.reconcile(after, closing.append)

    assert closing == [runtime(before).transport]


async def test_a_service_that_is_gone_is_forgotten() -> None:
    """Its transport is closed and its state dropped."""
    upstreams = new_upstreams()
    before = compiled(upstreams, service("s"), service("t"))
    closing: list[Transport] = []

    upstreams.reconcile(compiled(upstreams, service("t")), closing.append)

    assert closing == [runtime(before, "s").transport]


async def test_reconciling_with_nothing_closes_everything() -> None:
    """An empty configuration keeps no connection."""
    upstreams = new_upstreams()
    compiled(upstreams, service("s"), service("t"))
    closing: list[Transport] = []

    upstreams.reconcile(snapshot_of(), closing.append)

    assert len(closing) == 2


async def test_targets_that_registered_themselves_join_and_leave_without_a_revision() -> None:
    """Whatever is known of the others stays; one that is configured as well is there once."""
    upstreams = new_upstreams()
    snapshot = compiled(upstreams, service("s", "http://a"))
    first = runtime(snapshot).pool.states[0]
    upstreams.lease("s", (parse_target("http://b"), parse_target("http://a")), snapshot)
    joined = runtime(snapshot)
    upstreams.lease("s", (), snapshot)
    upstreams.lease("unknown", (parse_target("http://c"),), snapshot)

    assert [endpoint.name for endpoint in joined.endpoints] == ["http://a", "http://b"]
    assert joined.pool.states[0] is first
    assert [endpoint.name for endpoint in runtime(snapshot).endpoints] == ["http://a"]
    assert list(runtime(snapshot).state.targets) == ["http://a"]


async def test_targets_that_register_while_a_revision_is_compiled_are_there() -> None:
    """The one that was compiled without them is mended when it is served."""
    upstreams = new_upstreams()
    before = compiled(upstreams, service("s", "http://a"))
    after = compiled(upstreams, service("s", "http://a"), previous=before)
    upstreams.lease("s", (parse_target("http://b"),), before)
    later = compiled(upstreams, service("s", "http://c"))
    upstreams.lease("s", (parse_target("http://d"),), after)
    upstreams.reconcile(later, lambda _transport: None)

    assert [endpoint.name for endpoint in runtime(later).endpoints] == ["http://c", "http://d"]


async def test_an_ejection_is_told_and_an_operator_puts_it_back() -> None:
    """A target or service that is not there is left alone."""
    told: list[Ejected | Returned] = []
    upstreams = Upstreams(StateTable(), rng=Random(1), tell=told.append)
    failing = service("s", "http://a", "http://b", ejection={"consecutive_errors": 2})
    found = runtime(compiled(upstreams, failing))
    judge, target = found.judge, found.pool.states[0]
    assert judge is not None
    for failed in (None, True, True):
        judge(0, failed)
    assert isinstance(told[0], Ejected)
    assert target.is_ejected
    upstreams.readmit("s", "http://a")
    assert (target.is_ejected, target.consecutive_errors) == (False, 0)
    for unknown in (("s", "http://c"), ("t", "http://a")):
        upstreams.readmit(*unknown)
    assert told[1:] == [Returned("s", "http://a")]


class Published:
    """A registry, and what this process knows of services."""

    def __init__(self) -> None:
        self.breakers = Breakers(worker="w")
        self.upstreams = Upstreams(StateTable(), rng=Random(1), breakers=self.breakers)
        self.options = CompileOptions(prepare_service=self._prepare)
        self.registry = Registry(self.options)
        self.registry.subscribe(lambda _, new: self.upstreams.reconcile(new, lambda _transport: None))

    def _prepare(self, service: CompiledService) -> ServiceRuntime:
        if service.name == "z":
            raise ConfigurationInvalid([Problem("gateway.E025", "services[2]", "cannot be used here")])
        return self.upstreams.prepare(service)

    async def offer(self, number: int, *services: dict[str, Any]) -> bool:
        raw = {"version": 1, "services": list(services)}
        return await self.registry.offer(RevisionRecord(number=number, digest=str(number), document=raw))

    @property
    def runtime(self) -> ServiceRuntime:
        assert self.registry.current is not None
        return runtime(self.registry.current)

    def policies(self) -> tuple[object, ...]:
        """What holds traffic to `s` in check now, and whose breakers are known."""
        found = self.runtime
        assert found.limit is not None
        assert found.breaker is not None
        assert found.budget is not None
        for _ in range(100):
            found.budget.count(0)
        return (
            found.limit.limit,
            found.breaker.breaker.policy.failure_threshold,
            found.budget.allowed,
            self.breakers.names,
        )


def held(limit: int, threshold: int, budget: float, name: str = "s") -> dict[str, Any]:
    return service(
        name,
        max_concurrency=limit,
        breaker={"enabled": True, "failure_threshold": threshold},
        retries={"attempts": 1, "budget": budget},
    )


async def test_a_revision_that_is_refused_changes_no_policy() -> None:
    """Limits, breakers and budgets are as they were, though it was compiled in part; a good one changes them all."""
    published = Published()
    assert await published.offer(1, held(10, 5, 0.5))
    before = published.policies()
    assert not await published.offer(2, held(1, 1, 1.0), held(1, 1, 1.0, name="t"), service("z"))
    assert "cannot be used here" in published.registry.error
    refused = published.policies()
    limit, breaker, budget = published.runtime.limit, published.runtime.breaker, published.runtime.budget
    assert await published.offer(3, held(1, 1, 1.0), held(2, 2, 1.0, name="t"))

    assert before == (10, 5, 50, ["s"])
    assert refused == (10, 5, 100, ["s"])
    assert published.policies() == (1, 1, 300, ["s", "t"])
    assert published.runtime.limit is limit
    assert published.runtime.breaker is breaker
    assert published.runtime.budget is budget


async def test_policies_change_at_the_swap_and_not_before() -> None:
    """Requests that come while a revision is compiled are counted by the old ones."""
    published = Published()
    await published.offer(1, held(10, 5, 0.5))
    later = compiled(published.upstreams, held(1, 1, 1.0))
    assert published.policies()[:2] == (10, 5)
    published.upstreams.reconcile(later, lambda _transport: None)
    assert published.policies()[:2] == (1, 1)
