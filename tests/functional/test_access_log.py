"""The access log's file of a running gateway: what each route's rules write, and what they leave out."""

import json
from pathlib import Path
from typing import Any

from tests.support.gateway import RawClient, document, route
from tests.support.process import Running, Site, eventually
from tests.support.upstreams import ScriptedUpstream, answering, response

PARENT = "b7ad6b7169203331"
SAMPLED = f"traceparent: 00-0af7651916cd43dd8448eb2100000000-{PARENT}-01"
UNSAMPLED = f"traceparent: 00-0af7651916cd43dd8448eb21ffffffff-{PARENT}-01"
"""By the last eight digits of the trace's id: the first is within any share, the second in none but all."""
OK = {"respond": {"status": 200}}
FAILS = {"respond": {"status": 503}}


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def written(file: Path, running: Running, *paths: str) -> list[tuple[str, str]]:
    """Paths and traces of what is written of these, each asked for with both traces."""
    for path in paths:
        for trace in (SAMPLED, UNSAMPLED):
            await running.get(path, trace)
    await running.get("/last")
    await eventually(lambda: any(each["path"] == "/last" for each in lines(file)))
    return [(each["path"], each["trace_id"][-1]) for each in lines(file) if each["path"] != "/last"]


async def test_each_route_says_what_is_written_of_it(site: Site) -> None:
    """Nothing of one, errors included; a share of another, but all of its errors; the rest as the environment says."""
    file = site.folder / "access.log"
    raw = document(
        route("usual", path="/usual", **OK),
        route("never", path="/never", log={"access": False}, **OK),
        route("never-failing", path="/never/failing", log={"access": False}, **FAILS),
        route("share", path="/share", log={"sample": 0.5}, **OK),
        route("share-failing", path="/share/failing", log={"sample": 0}, **FAILS),
        route("last", path="/last", log={"sample": 1}, **OK),
    )
    arguments = ("--workers", "1", "--role", "data", "--revision", site.write(raw))
    async with site.serving(*arguments, ACCESS_LOG=str(file), ACCESS_LOG_SAMPLE="1") as running:
        found = await written(
            file, running, "/usual", "/never", "/never/failing", "/share", "/share/failing", "/nowhere"
        )
    both = ("0", "f")
    assert found == [
        *(("/usual", trace) for trace in both),
        ("/share", "0"),
        *(("/share/failing", trace) for trace in both),
        *(("/nowhere", trace) for trace in both),
    ]


async def test_defaults_hold_until_a_route_says_otherwise(site: Site) -> None:
    """And both before what the environment says. Opening the connection to a service is told of its first request."""
    file = site.folder / "access.log"
    async with ScriptedUpstream(answering(*[response(b"hi")] * 9)) as upstream:
        raw = document(
            route("quiet", path="/quiet", **OK),
            route("last", path="/last", log={"sample": 1.0}, **OK),
            route("served", path="/served", log={"access": True, "sample": 1}, service="s"),
            services={"s": upstream.url},
        ) | {"defaults": {"log": {"sample": 0}}}
        arguments = ("--workers", "1", "--role", "data", "--revision", site.write(raw))
        async with site.serving(*arguments, ACCESS_LOG=str(file), ACCESS_LOG_SAMPLE="1") as running:
            async with RawClient(running.port) as client:
                for _ in range(3):
                    await client.get("/served", "traceparent: x")
            found = await written(file, running, "/quiet")
    assert [path for path, _ in found] == ["/served"] * 3
    phases = [each["ms"] for each in lines(file) if each["path"] == "/served"]
    assert 0 < phases[0]["connect"] <= phases[0]["upstream"]
    assert ["connect" in each for each in phases] == [True, False, False]
