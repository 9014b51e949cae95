"""Documents of services over real sockets: bounded, asked for again with what is known, kept while nobody answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from authproxy import upstreamdocs
from authproxy.services import Upstreams
from authproxy.upstreamdocs import LONGEST, UpstreamDocuments
from resilience.state import StateTable
from routing.compiler import CompileOptions, compile_snapshot
from routing.openapi.portal import Described
from routing.snapshot import Snapshot
from tests.support.fetching import until
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response

DOCUMENT = json.dumps({"openapi": "3.1.0", "info": {"title": "one"}, "paths": {}}).encode()
ANOTHER = DOCUMENT.replace(b"one", b"two")


class Bench:
    """A worker's configuration and its documents."""

    def __init__(self, *, timeout_s: float) -> None:
        self.upstreams = Upstreams(StateTable(), rng=Random(1))
        self.snapshot: Snapshot | None = None
        self.documents = UpstreamDocuments(lambda: self.snapshot, timeout_s=timeout_s)

    def publish(self, *urls: str, **keys: Any) -> None:
        self.publish_all({"name": "shop", "targets": [{"url": url} for url in urls], "openapi": {}, **keys})

    def publish_all(self, *services: dict[str, Any]) -> None:
        self.snapshot = compile_snapshot(
            {"version": 1, "services": list(services)},
            revision=1,
            options=CompileOptions(prepare_service=self.upstreams.prepare),
        )
        self.documents.reconcile()

    @property
    def found(self) -> Described:
        return self.documents.described()[0]

    async def learns(self) -> Described:
        """What is known once something else is."""
        before = self.documents.version
        await until(lambda: self.documents.version > before)
        return self.found


@asynccontextmanager
async def bench(*urls: str, timeout_s: float = 5.0, **keys: Any) -> AsyncIterator[Bench]:
    made = Bench(timeout_s=timeout_s)
    made.publish(*urls, **keys)
    made.documents.start()
    yield made
    await made.documents.stop()
    await made.upstreams.aclose()


def title(described: Described) -> str:
    assert described.source is not None
    return str(described.source.raw["info"]["title"])


async def test_a_document_is_fetched_behind_the_targets_path() -> None:
    """And is there without a note."""
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(response(DOCUMENT))

    async with ScriptedUpstream(script) as upstream:
        keys = {"openapi": {"path": "/docs/é.json?x=1"}}
        async with bench(f"{upstream.url}/base", **keys) as made:
            assert "not been fetched" in made.found.note
            found = await made.learns()

    assert (title(found), found.note) == ("one", "")
    assert (seen[0].method, seen[0].target) == ("GET", b"/base/docs/%C3%A9.json?x=1")


async def test_what_is_known_is_asked_for_by_its_validators() -> None:
    """304 leaves it as it is; another document takes its place."""
    seen = []

    async def script(peer: Peer) -> None:
        answers = [
            response(DOCUMENT, headers=[("ETag", '"1"'), ("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")]),
            response(status="304 Not Modified"),
            response(ANOTHER, headers=[("ETag", '"2"')]),
        ]
        while answers:
            seen.append(await peer.request())
            await peer.send(answers.pop(0))

    async with ScriptedUpstream(script) as upstream, bench(upstream.url, openapi={"refresh": "1s"}) as made:
        assert title(await made.learns()) == "one"
        assert title(await made.learns()) == "two"

    assert seen[0].values("if-none-match") == []
    assert seen[1].values("if-none-match") == [b'"1"']
    assert seen[2].values("if-none-match") == [b'"1"']
    assert seen[1].values("if-modified-since") == [b"Mon, 01 Jan 2024 00:00:00 GMT"]


async def test_the_same_document_is_nothing_new() -> None:
    """It is not read again, and what was made of it still holds."""
    count = 0

    async def script(peer: Peer) -> None:
        nonlocal count
        while True:
            await peer.request()
            await peer.send(response(DOCUMENT))
            count += 1

    async with ScriptedUpstream(script) as upstream, bench(upstream.url, openapi={"refresh": "1s"}) as made:
        source, version = (await made.learns()).source, made.documents.version
        await until(lambda: count >= 3)

        assert made.found.source is source
        assert made.documents.version == version


async def test_a_dead_upstream_keeps_its_document() -> None:
    """With a note that says since when; asking goes on."""
    async with ScriptedUpstream(answering(response(DOCUMENT))) as upstream:
        made = Bench(timeout_s=5.0)
        made.publish(upstream.url, openapi={"refresh": "1s"})
        made.documents.start()
        await made.learns()
    await until(lambda: bool(made.found.note))

    assert title(made.found) == "one"
    assert "this is its document of 20" in made.found.note
    assert "does not answer" in made.found.note
    await made.documents.stop()
    await made.upstreams.aclose()


async def test_a_changed_service_is_asked_at_once() -> None:
    """At its new place, without the validators of the old one; one without a document is forgotten."""
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(response(ANOTHER))

    tagged = response(DOCUMENT, headers=[("ETag", '"1"')])
    async with (
        ScriptedUpstream(answering(tagged)) as old,
        ScriptedUpstream(script) as new,
        bench(old.url) as made,
    ):
        assert title(await made.learns()) == "one"
        made.publish(new.url)
        assert title(await made.learns()) == "two"
        assert seen[0].values("if-none-match") == []
        made.publish(new.url, openapi=None)
        await until(lambda: not made.documents.described())


HUGE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * (
    LONGEST // 65536 + 1
)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (response(status="404 Not Found"), "answers 404 for /openapi.json"),
        (response(status="302 Found", headers=[("Location", "/x")]), "redirects are not followed"),
        (response(DOCUMENT, headers=[("Content-Encoding", "gzip")]), "compressed"),
        (response(b"{"), "line"),
        (response(b'{"swagger": "2.0"}'), "Swagger 2.0; convert it to OpenAPI 3 first"),
        (response(b"\xff"), "not UTF-8"),
        (HUGE, "more than 2 MB"),
        (b"nonsense\r\n\r\n", "does not answer (protocol_error)"),
    ],
    ids=range(8),
)
async def test_what_is_wrong_becomes_a_note(answer: bytes, why: str) -> None:
    """And no document."""
    async with ScriptedUpstream(answering(answer)) as upstream, bench(upstream.url) as made:
        found = await made.learns()

    assert found.source is None
    assert found.note.startswith("it has no document: ")
    assert why in found.note


async def test_a_slow_upstream_is_left() -> None:
    """Whether it sends nothing, or a byte now and then; another target is asked."""

    async def trickle(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await peer.send(b" ")
            await asyncio.sleep(0.01)

    async with (
        ScriptedUpstream(trickle) as slow,
        ScriptedUpstream(answering(response(DOCUMENT))) as well,
        bench(slow.url, timeout_s=0.3) as made,
    ):
        assert "no whole answer within 0.3 s" in (await made.learns()).note
        made.publish(slow.url, well.url)
        assert title(await made.learns()) == "one"


async def test_who_hangs_delays_nobody_else() -> None:
    """Not the first time, and not when the others' are asked for again."""
    answers = 0

    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.until_closed()

    async def answer(peer: Peer) -> None:
        nonlocal answers
        while True:
            await peer.request()
            await peer.send(response(DOCUMENT))
            answers += 1

    async with ScriptedUpstream(hang) as hanging, ScriptedUpstream(answer) as answering_one:
        made = Bench(timeout_s=60.0)
        urls = {"hangs": hanging.url, "shop": answering_one.url}
        services = [
            {"name": name, "targets": [{"url": url}], "openapi": {"refresh": "1s"}}
            for name, url in urls.items()
        ]
        made.publish_all(*services)
        made.documents.start()
        await until(lambda: answers >= 2)

        hangs, shop = made.documents.described()
        assert (hangs.source, hangs.note) == (None, "its document has not been fetched yet")
        assert title(shop) == "one"

        await made.documents.stop()
        await made.upstreams.aclose()


async def test_without_a_target_there_is_none() -> None:
    """Nor a fault."""
    async with bench() as made:
        assert (await made.learns()).note == "it has no document: the service has no target"


async def test_who_is_bound_is_asked() -> None:
    """Until it ends."""
    made = UpstreamDocuments(lambda: None)
    upstreamdocs.bind(made)
    assert upstreamdocs.bound() is made
    upstreamdocs.unbind(made)
    assert upstreamdocs.bound() is None
