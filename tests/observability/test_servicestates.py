"""Services with their breakers and targets."""

from random import Random
from typing import Any

from authproxy.services import Upstreams
from observability import servicestates
from observability.servicestates import look, shown
from resilience.breaker import State
from resilience.breakers import Breakers
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import Snapshot
from routing.targets import parse_target

NOW = 1000.0


def compiled(upstreams: Upstreams, *services: dict[str, Any]) -> Snapshot:
    options = CompileOptions(prepare_service=upstreams.prepare)
    return compile_snapshot({"version": 1, "services": list(services)}, revision=1, options=options)


def some_upstreams() -> Upstreams:
    return Upstreams(StateTable(), rng=Random(1), breakers=Breakers(worker="w"))


def test_a_service_and_its_targets() -> None:
    """Each target in a word, with where it comes from and how many requests it has."""
    upstreams = some_upstreams()
    targets = [{"url": f"http://{host}"} for host in "abc"] + [{"url": "http://d", "drain": True}]
    snapshot = compiled(upstreams, {"name": "s", "targets": targets, "breaker": {}})
    upstreams.lease("s", (parse_target("http://e:1"),), snapshot)
    runtime = snapshot.services["s"].runtime
    states = runtime.pool.states
    states[0].healthy, states[1].healthy = True, False
    states[2].ejected_until = NOW + 1
    states[0].in_flight = 3
    found = shown(runtime, NOW)
    assert (found["status"], found["breaker"]) == ("degraded", "closed")
    assert [(each["url"], each["state"], each["origin"], each["in_flight"]) for each in found["targets"]] == [
        ("http://a", "healthy", "configuration", 3),
        ("http://b", "unhealthy", "configuration", 0),
        ("http://c", "ejected", "configuration", 0),
        ("http://d", "draining", "configuration", 0),
        ("http://e:1", "unchecked", "lease", 0),
    ]


async def test_all_services_by_name() -> None:
    """However many; one without a breaker has none."""
    names = [f"s{number:03}" for number in range(2 * servicestates.AT_ONCE + 1)]
    services = [{"name": name, "targets": [{"url": "http://a"}]} for name in reversed(names)]
    services[0]["breaker"] = {}
    snapshot = compiled(some_upstreams(), *services)
    guard = snapshot.services[names[-1]].runtime.breaker
    guard.breaker.force(State.OPEN, float("inf"), NOW)
    found = await look(snapshot.services)
    assert list(found) == names
    assert (found[names[-1]]["status"], found[names[-1]]["breaker"]) == ("down", "open")
    assert found[names[0]]["breaker"] is None
