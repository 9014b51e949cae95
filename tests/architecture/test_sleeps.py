"""No test sleeps where it could wait for an event, or pass a time in; those that do are listed with the reason."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.source import ROOT

PACE = "gives what it sends or asks a pace"
TIME = "the time that passes is what is tested"
NEVER = "what it waits for must not happen"
LOOK = "looks for what another process, thread or task changes, and nobody tells"
# In a time of their own, sleeping takes none.
VIRTUAL = "tests.support.virtualtime"

SLEEPING: dict[str, str] = {
    "authproxy/caching/test_cache.py": LOOK,
    "authproxy/caching/test_filling.py": LOOK,
    "authproxy/caching/test_refreshing.py": LOOK,
    "authproxy/grpc/test_transcoding.py": PACE,
    "authproxy/shaping/test_applying.py": LOOK,
    "authproxy/test_changefeed.py": LOOK,
    "authproxy/test_identitystore.py": LOOK,
    "authproxy/test_lastused.py": LOOK,
    "authproxy/test_limitedlog.py": LOOK,
    "authproxy/test_upstreamdocs.py": LOOK,
    "authproxy/upstream/test_dialling.py": LOOK,
    "authproxy/upstream/test_http2wire.py": LOOK,
    "authproxy/upstream/test_resolver.py": TIME,
    "authproxy/upstream/test_upload.py": NEVER,
    "functional/test_caching.py": TIME,
    "functional/test_caching_http2.py": LOOK,
    "functional/test_connecting.py": TIME,
    "functional/test_identity_providers.py": LOOK,
    "functional/test_proxying_bodies.py": TIME,
    "functional/test_proxying_streams.py": TIME,
    "functional/test_realtime_workers.py": PACE,
    "functional/test_serve_processes.py": LOOK,
    "functional/test_server_deadlines.py": TIME,
    "functional/test_server_departures.py": TIME,
    "functional/test_server_garbage.py": LOOK,
    "functional/test_shaping_leaks.py": PACE,
    "functional/test_system_identity.py": PACE,
    "functional/test_system_processes.py": PACE,
    "functional/test_system_scale.py": PACE,
    "functional/test_traffic_leaks.py": PACE,
    "functional/test_traffic_retries.py": TIME,
    "functional/test_traffic_workers.py": PACE,
    "functional/test_upstream_answers.py": LOOK,
    "functional/test_upstream_connections.py": PACE,
    "functional/test_upstream_http2.py": PACE,
    "functional/test_upstream_http2_leaving.py": PACE,
    "functional/test_upstream_leaving.py": PACE,
    "functional/test_upstream_timeouts.py": TIME,
    "functional/test_upstream_tls.py": NEVER,
    "functional/test_upstream_uploads.py": TIME,
    "gateway_project/server/test_deadlines.py": NEVER,
    "gateway_project/server/test_departure.py": PACE,
    "gateway_project/test_asgi.py": PACE,
    "gateway_project/test_beginning.py": LOOK,
    "observability/metrics/test_metering.py": TIME,
    "observability/rollups/test_log.py": LOOK,
    "observability/test_detailed.py": PACE,
    "realtime/bus/test_outbox.py": LOOK,
    "realtime/tunnel/test_ends.py": LOOK,
    "resilience/stores/test_leases.py": TIME,
    "resilience/stores/test_redis.py": TIME,
    "resilience/test_breakers.py": TIME,
    "routing/test_breakerlog.py": LOOK,
    "routing/test_leasewatch.py": LOOK,
    "routing/test_registry.py": TIME,
    "routing/test_schedulewatch.py": LOOK,
    "routing/test_watcher.py": LOOK,
}


def sleeps(source: str) -> Iterator[int]:
    """Lines that sleep; `sleep(0)` is a turn of the event loop, which takes no time."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) == "sleep" and not _is_turn(node):
            yield node.lineno


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_turn(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0


def sleeping() -> Iterator[str]:
    tests = ROOT / "tests"
    for file in sorted(tests.rglob("test_*.py")):
        source = file.read_text()
        if "sleep(" in source and VIRTUAL not in source and any(sleeps(source)):
            yield str(file.relative_to(tests))


def test_files_that_sleep_are_listed_with_the_reason() -> None:
    """And no others."""
    assert list(sleeping()) == sorted(SLEEPING)


@pytest.mark.parametrize(
    ("line", "does"),
    [
        ("time.sleep(1)", True),
        ("await asyncio.sleep(pause_s)", True),
        ("await asyncio.sleep(0)", False),
        ("wake()", False),
    ],
)
def test_the_rule_itself(line: str, *, does: bool) -> None:
    assert any(sleeps(f"async def x():\n    {line}")) == does
