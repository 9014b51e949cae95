"""Tests of the HTTP/1.1 transport's own bookkeeping; what it does on the wire is in the functional tests."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import http1
from authproxy.upstream.dialling import Origin
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.pool import Pool, PoolLimits
from authproxy.upstream.tls import TlsOptions
from tests.support.fetching import ask, fetch, until
from tests.support.upstreams import Certificates, ScriptedUpstream, answering, response


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport(sweep_s=0.005)
    yield transport
    await transport.aclose()


async def test_a_url_object_leads_to_its_pool_at_once(transport: Http1Transport) -> None:
    """By identity; an equal URL finds the same pool by its parts."""
    first, second = httpx.URL("http://a.test/x"), httpx.URL("http://a.test:80")

    assert transport._pool(first) is transport._pool(second)
    assert transport._by_url[id(first)][0] is first


async def test_the_memory_of_url_objects_is_bounded(
    transport: Http1Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound URLs are found by their parts."""
    monkeypatch.setattr(http1, "_MAX_KNOWN_URLS", 1)
    urls = [httpx.URL(f"http://{name}.test") for name in "ab"]
    pools = [transport._pool(url) for url in urls]

    assert len(transport._by_url) == 1
    assert [transport._pool(url) for url in urls] == pools


async def test_another_url_at_the_same_place_in_memory_is_not_mistaken(transport: Http1Transport) -> None:
    """Identities are reused by the interpreter; the object itself is compared."""
    async with ScriptedUpstream(answering(response())) as upstream:
        url = httpx.URL(upstream.url)
        other = transport._pool(httpx.URL("http://192.0.2.1"))
        transport._by_url[id(url)] = (httpx.URL("http://192.0.2.1"), other)
        assert (await transport.handle_async_request(ask(url))).status_code == 200


async def test_the_sweeper_rests_while_there_is_nothing_to_watch(transport: Http1Transport) -> None:
    """A gateway has many services; idle ones cost nothing."""
    async with ScriptedUpstream(answering(response(headers=[("Keep-Alive", "timeout=0")]))) as upstream:
        assert transport._sweeper is None
        await fetch(transport, upstream.url)
        assert transport._sweeper is not None
        await until(lambda: transport._sweeper is None)
        assert (await fetch(transport, upstream.url)).status == 200


async def test_a_failing_sweep_does_not_stop_the_sweeper(
    transport: Http1Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlines of other requests depend on it."""
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        pool = transport._pool(httpx.URL(upstream.url))
        assert transport._sweeper is not None
        transport._sweeper.cancel()

        def fail(now: float) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(pool, "sweep", fail)
        with pytest.raises(ZeroDivisionError):
            transport._sweep()
        assert transport._sweeper is not None
        transport._sweeper.cancel()


async def test_the_sweeper_passes_by_pools_without_connections(
    transport: Http1Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many targets most have none at a time."""
    swept: list[Pool] = []
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, upstream.url)
        busy = transport._pool(httpx.URL(upstream.url))
        for port in range(1, 4):
            transport._pool(httpx.URL(f"http://127.0.0.1:{port}"))
        monkeypatch.setattr(Pool, "sweep", lambda pool, _now: swept.append(pool))
        transport._sweep()
    assert swept  # the transport sweeps by itself as well
    assert all(pool is busy for pool in swept)


async def test_targets_come_and_go(transport: Http1Transport) -> None:
    """Pools of targets that stay are kept, with what they have learnt; the others go when they are empty."""
    async with (
        ScriptedUpstream(answering(response())) as stays,
        ScriptedUpstream(answering(response())) as goes,
    ):
        for upstream in (stays, goes):
            await fetch(transport, upstream.url)
        pool = transport._pool(httpx.URL(stays.url))
        transport.keep_only([httpx.URL(stays.url)])
        assert transport._pool(httpx.URL(stays.url)) is pool
        assert list(transport.stats()) == [stays.url]
        await fetch(transport, goes.url)
        await until(lambda: list(transport.stats()) == [stays.url])
        transport.keep_only([httpx.URL(stays.url), httpx.URL(goes.url)])
        await fetch(transport, goes.url)
        assert (await fetch(transport, goes.url)).reused


async def test_https_targets_get_the_services_tls() -> None:
    """Others get none, so a service may have both."""
    transport = Http1Transport(tls=TlsOptions(ca=Certificates().ca, sni="inner.test"), limits=PoolLimits())
    secure = transport._dialler(Origin("https", "a.test", 443))
    plain = transport._dialler(Origin("http", "a.test", 80))

    assert secure._tls is not None
    assert plain._tls is None
    assert secure._server_name == "inner.test"


async def test_closing_waits_no_longer_than_it_may() -> None:
    """With nothing under way it returns at once, with something after the grace time."""
    transport = Http1Transport(sweep_s=0.005)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await transport.aclose(grace_s=10)

    assert loop.time() - began < 1
