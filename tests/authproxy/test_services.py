"""What forwarding keeps of each service."""

from random import Random

from authproxy.services import ServiceRuntime, Upstreams
from authproxy.upstream.base import Transport
from resilience.state import StateTable
from routing.snapshot import Snapshot
from tests.support.snapshots import snapshot_of


def service(name: str = "s", *urls: str, **keys: object) -> dict[str, object]:
    return {"name": name, "targets": [{"url": url} for url in urls or ("http://127.0.0.1:1",)], **keys}


def compiled(
    upstreams: Upstreams, *services: dict[str, object], previous: Snapshot | None = None
) -> Snapshot:
    from routing.compiler import CompileOptions, compile_snapshot

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
