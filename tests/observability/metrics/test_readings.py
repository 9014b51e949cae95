"""How the parts of a worker stand."""

from observability.metrics import catalogue as names
from observability.metrics.readings import process_reader, read_snapshot, snapshot_reader
from observability.metrics.samples import Samples
from resilience.breaker import State
from tests.observability.test_status import NOW, compiled


def test_services_and_targets() -> None:
    snapshot = compiled("http://a", "http://b", breaker={})
    runtime = snapshot.services["s"].runtime
    runtime.pool.states[0].healthy = False
    runtime.pool.states[1].ejected_until = NOW + 1
    runtime.state.in_flight = 3
    found = Samples()
    read_snapshot(snapshot, found, NOW)

    assert found.get(names.REVISION) == 1
    assert found.get(names.BREAKER, "s") == 0
    assert found.get(names.UPSTREAM_IN_FLIGHT, "s") == 3
    assert [found.get(names.TARGET_UP, "s", target) for target in ("http://a", "http://b")] == [0, 1]
    assert [found.get(names.TARGET_EJECTED, "s", target) for target in ("http://a", "http://b")] == [0, 1]


def test_an_open_breaker() -> None:
    snapshot = compiled("http://a", breaker={})
    snapshot.services["s"].runtime.breaker.breaker.force(State.OPEN, NOW + 9, NOW)
    found = Samples()
    snapshot_reader(lambda: snapshot, lambda: NOW)(found)

    assert found.get(names.BREAKER, "s") == 2


def test_without_a_configuration_there_is_nothing_to_say() -> None:
    found = Samples()
    snapshot_reader(lambda: None)(found)

    assert found.values == {}


def test_the_process() -> None:
    found = Samples()
    process_reader()(found)

    assert isinstance(memory := found.get("process_resident_memory_bytes"), float)
    assert memory > 1_000_000
    assert found.get("python_gc_collections_total", "0") is not None
    assert set(names.PROCESS) <= found.values.keys()
