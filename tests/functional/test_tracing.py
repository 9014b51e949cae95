"""Traces of whole gateways, with a collector in a process of its own, and with one that is no good."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import RawClient, document, route
from tests.support.process import ROOT, Running, Site, eventually
from tests.support.upstreams import Peer, ScriptedUpstream

pytestmark = pytest.mark.timeout(180)  # seconds; processes start one after another
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@asynccontextmanager
async def collector() -> AsyncIterator[Running]:
    """Its `port` is where it listens; each of its lines is a span."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "examples" / "collector.py",
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Running(process)
    try:
        running.port = int((await running.said(r'"listening": (\d+)'))[1])
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await running.ended()


@asynccontextmanager
async def upstream() -> AsyncIterator[tuple[str, list[str]]]:
    """Its URL, and the traceparents that it got."""
    got: list[str] = []

    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            got.append(request.values("traceparent")[0].decode())
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    async with ScriptedUpstream(script) as server:
        yield server.url, got


def spans(running: Running) -> list[dict[str, Any]]:
    return [found for line in running.lines if "span" in (found := json.loads(line))]


def tried(url: str) -> dict[str, Any]:
    return document(
        route("hi", path="/hi/{id}", match={"path_type": "template"}, service="s"), services={"s": url}
    )


def arguments(site: Site, url: str) -> tuple[str, ...]:
    return ("--workers", "1", "--role", "data", "--revision", site.write(tried(url)))


async def test_a_trace_from_client_to_service(site: Site) -> None:
    """Client's span ▶ server span ▶ client span ▶ what the service was told; unsampled ones leave no trace."""
    async with collector() as found, upstream() as (url, got):
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{found.port}",
            "OTEL_SERVICE_NAME": "edge",
            "OTEL_RESOURCE_ATTRIBUTES": "team=a%20b",
        }
        async with site.serving(*arguments(site, url), **env) as running:
            unsampled = await running.get("/hi/0", f"traceparent: 00-{TRACE}-{PARENT}-00")
            answer = await running.get("/hi/1?token=s3cret", f"traceparent: 00-{TRACE}-{PARENT}-01")
            await running.get("/hi/2")
            seen = await eventually(lambda: len(spans(found)) >= 4 and spans(found))
            await running.get("/health/live")
            metrics = (await running.get("/metrics")).body.decode()
        server, client, root, of_root = seen

    assert (unsampled.status, answer.status) == (200, 200)
    assert got[0].endswith("-00")
    assert got[1] == f"00-{TRACE}-{client['span']}-01"
    assert got[2] == f"00-{root['trace']}-{of_root['span']}-01"
    assert (server["trace"], server["parent"], client["parent"]) == (TRACE, PARENT, server["span"])
    assert (root["parent"], of_root["parent"]) == ("", root["span"])
    assert (server["name"], server["attributes"]["url.path"]) == ("GET /hi/{id}", "/hi/1")
    assert server["resource"]["service.name"] == "edge"
    assert server["resource"]["team"] == "a b"
    assert "s3cret" not in found.text
    assert len(spans(found)) == 4
    assert 'gateway_spans_total{result="exported"} 4' in metrics


async def test_nothing_is_exported_or_changed_unless_configured(site: Site) -> None:
    """The client's own span goes on to the service."""
    async with upstream() as (url, got), site.serving(*arguments(site, url)) as running:
        await running.get("/hi/1", f"traceparent: 00-{TRACE}-{PARENT}-01")
        metrics = (await running.get("/metrics")).body.decode()

    assert got == [f"00-{TRACE}-{PARENT}-01"]
    assert "gateway_spans_total{" not in metrics


async def test_a_collector_that_is_killed_or_hangs_is_nobodys_trouble(site: Site) -> None:
    """Requests are answered as before, the log says it once, and the gateway ends in time."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        async with collector() as found, upstream() as (url, _):
            env = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{found.port}",
                "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            }
            async with site.serving(*arguments(site, url), **env) as running:
                await running.get("/hi/1")
                await eventually(lambda: spans(found))
                found.process.kill()
                await found.ended()
                assert (await running.get("/hi/2")).status == 200
                await running.said("traces do not arrive at the collector")
                assert (await running.get("/hi/3")).status == 200
                metrics = await eventually(lambda: _failed(running))

            env["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{hanging.getsockname()[1]}"
            env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "60"
            async with site.serving(*arguments(site, url), **env) as running:
                async with RawClient(running.port) as client:
                    for number in range(700):
                        assert (await client.get(f"/hi/{number}")).status == 200
                hanging.settimeout(10)
                taken, _ = await asyncio.to_thread(hanging.accept)
                with taken:
                    assert (await running.get("/hi/1")).status == 200
    assert 'gateway_dropped_total{queue="traces"}' in metrics


async def _failed(running: Running) -> str | None:
    metrics = (await running.get("/metrics")).body.decode()
    return metrics if 'gateway_spans_total{result="failed"} 2' in metrics else None


async def test_without_the_library_it_serves_and_says_so(site: Site, tmp_path: Path) -> None:
    """Told once by each worker, at its start."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.sdk'] = None\n")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    async with upstream() as (url, got), site.serving(*arguments(site, url), **env) as running:
        assert (await running.get("/hi/1", f"traceparent: 00-{TRACE}-{PARENT}-01")).status == 200
        await running.said(r"opentelemetry-sdk is missing; install torana\[otel\]")

    assert got == [f"00-{TRACE}-{PARENT}-01"]
