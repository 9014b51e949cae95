"""The gateway's own events, at two workers: staff hears each happening once, whoever tells it."""

from pathlib import Path

import pytest

from tests.support.clients import signed_in, staff_of
from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site
from tests.support.redisserver import RedisServer
from tests.support.streams import STREAM, Reader


async def followed(running: Running, client: RawClient, field: str, *topics: str) -> Reader:
    query = "&".join(f"topic={topic}" for topic in topics)
    await client.send(f"GET {STREAM}?{query} HTTP/1.1\r\nHost: t\r\n{field}\r\n\r\n".encode())
    reader = Reader(client)
    reader.head = await client.head()
    return reader


@pytest.mark.timeout(120)
async def test_staff_hears_once_of_revisions_and_breakers(site: Site, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        site.env["REDIS_URL"] = redis.url
        service = {
            "targets": [{"url": "http://127.0.0.1:1"}],
            "breaker": {"failure_threshold": 2, "min_throughput": 2},
        }
        raw = document(route("r", service="s"), services={"s": service})
        await site.apply(raw)
        async with site.serving("--workers", "2") as running:
            async with staff_of(site) as staff:
                await staff.do("account('vera', staff=True)")
                await staff.do("account('ada')")
            vera, ada = await signed_in(running, "vera"), await signed_in(running, "ada")
            async with RawClient(running.port) as one, RawClient(running.port) as two:
                refused = await followed(running, two, ada.field, "gateway.revisions")
                assert refused.head.status == 403
                reader = await followed(running, one, vera.field, "gateway.revisions", "gateway.breakers")
                assert reader.head.status == 200
                await site.apply({**raw, "routes": [route("r2", path="/2", service="s")]})
                first = await reader.event()
                for _ in range(6):
                    await running.get("/")
                second = await reader.event()
                await site.apply({**raw, "routes": [route("r3", path="/3", service="s")]})
                third = await reader.event()
    assert [each["topic"] for each in (first, second, third)] == [
        "gateway.revisions", "gateway.breakers", "gateway.revisions"
    ]  # fmt: skip
    assert (first["data"]["revision"], third["data"]["revision"]) == (2, 3)
    assert (second["type"], second["data"]["service"]) == ("open", "s")
