"""Files on their way to the service, through the whole data plane, on real sockets."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authproxy.shaping.logonly import JUDGEMENTS
from tests.support.gateway import Answer, RawClient, data_plane, document, route
from tests.support.http2upstream import Http2Upstream, Stream
from tests.support.recording import Recording, proxied
from tests.support.upstreams import Peer, response

MB = 1 << 20
PNG = b"\x89PNG\r\n\x1a\n"
RULES = {"upload": {"types": ["image/png", "image/jpeg"], "max_file": "5MB", "max_total": "8MB"}}
FORM = "Content-Type: multipart/form-data; boundary=b"
HEAD = f"POST /x HTTP/1.1\r\nHost: h\r\n{FORM}\r\n".encode()
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def file(content: bytes, *, name: str = "f", declared: str = "image/png") -> bytes:
    head = (
        f'Content-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: {declared}\r\n\r\n'
    )
    return b"--b\r\n" + head.encode() + content + b"\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def error(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)["error"]["details"]
    return found


class Listening:
    """An upstream that keeps what it gets of bodies, as far as they come."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.got = asyncio.Event()
        self.ended: list[bool] = []
        self.closed = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        """One request."""
        head = await peer.head()
        self.bodies.append(b"")
        is_chunked = b"transfer-encoding: chunked" in head.lower()
        while data := await peer.reader.read(1 << 16):
            self.bodies[-1] += data
            self.got.set()
            if is_chunked and self.bodies[-1].endswith(b"0\r\n\r\n"):
                await peer.send(response(b"got it"))
        self.closed.set()


async def test_a_form_that_fits_goes_on_as_it_came() -> None:
    """Fields and files, byte for byte."""
    recording = Recording()
    body = file(PNG + b"1" * 3000) + file(b"\xff\xd8\xff" + b"2" * 100, declared="image/jpg") + b"--b--\r\n"
    async with proxied(recording, validate=RULES) as (_plane, client):
        answer = await client.get("/x", FORM, method="POST", body=body)

    assert answer.status == 200
    assert recording.last.body == body


async def test_one_byte_at_a_time() -> None:
    """Pieces do not matter."""
    recording = Recording()
    body = file(PNG) + b"--b--\r\n"
    async with proxied(recording, validate=RULES) as (_plane, client):
        await client.send(CHUNKED)
        for at in range(len(body)):
            await client.send(chunk(body[at : at + 1]))
        await client.send(b"0\r\n\r\n")
        answer = await client.answer()

    assert answer.status == 200
    assert recording.last.body == body


async def test_nothing_is_sent_when_the_first_file_begins_wrongly() -> None:
    """Even where its first bytes dribble in; the client's connection is closed: the rest is not wanted."""
    recording = Recording()
    async with proxied(recording, validate=RULES) as (plane, client):
        await client.send(CHUNKED)
        beginning = file(b"MZ" + b"\0" * 1100)
        for at in range(0, len(beginning), 100):
            await client.send(chunk(beginning[at : at + 100]))
        answer = await client.answer()
        is_closed = await client.at_end()

    assert answer.status == 415
    assert answer.header("connection") == "close"
    assert is_closed
    assert error(answer) == {
        "part": "f",
        "file": "a.png",
        "expected": ["image/png", "image/jpeg"],
        "found": "application/x-executable",
    }
    assert recording.requests == []
    assert plane.finished[0].attempts == 0


async def test_a_wrong_file_in_the_third_part_ends_the_upload() -> None:
    """The service has got the beginning, and its connection is closed before an end."""
    upstream = Listening()
    async with proxied(upstream, validate=RULES) as (_plane, client):  # type: ignore[arg-type]
        await client.send(CHUNKED + chunk(file(PNG + b"1" * 2000)) + chunk(file(PNG + b"2" * 2000)))
        await upstream.got.wait()
        await client.send(chunk(file(b"GIF89a" + b"3" * 2000, name="third")))
        answer = await client.answer()
        async with asyncio.timeout(5):
            await upstream.closed.wait()

    assert answer.status == 415
    assert error(answer)["part"] == "third"
    assert error(answer)["found"] == "image/gif"
    [body] = upstream.bodies
    assert b"1" * 2000 in body
    assert b"GIF89a" not in body
    assert not body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("sizes", "limit"), [([5 * MB + 1], "max_file"), ([4 * MB, 4 * MB + 1], "max_total")]
)
async def test_sizes_are_counted_and_not_believed(sizes: list[int], limit: str) -> None:
    """Whatever a part says of its length."""
    upstream = Listening()
    async with proxied(upstream, validate=RULES) as (_plane, client):  # type: ignore[arg-type]
        await client.send(CHUNKED)
        sending = asyncio.create_task(_send_files(client, sizes))
        answer = await client.answer()
        sending.cancel()
        async with asyncio.timeout(5):
            await upstream.closed.wait()

    assert answer.status == 413
    assert limit in error(answer)
    assert not upstream.bodies[0].endswith(b"0\r\n\r\n")


async def _send_files(client: RawClient, sizes: list[int]) -> None:
    for size in sizes:
        head = (
            file(PNG).removesuffix(b"\r\n").replace(b"Content-Type:", b"Content-Length: 8\r\nContent-Type:")
        )
        await client.send(chunk(head))
        for _ in range(size // MB):
            await client.send(chunk(b"\0" * MB))
        await client.send(chunk(b"\0" * (size % MB) + b"\r\n"))


async def test_a_declared_length_that_leaves_no_doubt_is_refused_unread() -> None:
    """Without 100 Continue."""
    recording = Recording()
    async with proxied(recording, validate=RULES) as (_plane, client):
        await client.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (11 * MB))
        answer = await client.answer()

    assert answer.status == 413
    assert answer.interim == []
    assert recording.requests == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (file(PNG), "cut off"),
        (file(PNG) + b"--b--", ""),
        (file(PNG + b"\n--b\r\nContent-Disposition: form-data; name=x\r\n\r\n"), "inside a part"),
        (b"preamble\r\n" + file(PNG) + b"--b--", "does not begin"),
        (file(PNG) + b"--b--\r\n" + file(b"MZ"), "follows its last"),
    ],
)
async def test_what_others_might_read_otherwise_is_refused(body: bytes, why: str) -> None:
    """In one piece, of which nothing is sent then."""
    recording = Recording()
    async with proxied(recording, validate=RULES) as (_plane, client):
        answer = await client.get("/x", FORM, method="POST", body=body)

    assert answer.status == (400 if why else 200)
    if why:
        assert why in error(answer)["found"]
        assert recording.requests == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 415),
        ('multipart/form-data; boundary="b "', 400),
        ("multipart/form-data; boundary=b; boundary=c", 415),
        ('Multipart/Form-Data; boundary="b"', 200),
        ("multipart/mixed; boundary=b", 415),
        ("application/x-www-form-urlencoded", 415),
        ("image/png", 415),
    ],
)
async def test_boundaries_and_types(content_type: str, status: int) -> None:
    """One boundary, of characters that it may have; and no other type, unless the route lists it."""
    async with proxied(Recording(), validate=RULES) as (_plane, client):
        body = file(PNG) + b"--b--\r\n"
        answer = await client.get("/x", f"Content-Type: {content_type}", method="POST", body=body)

    assert answer.status == status


async def test_a_body_that_is_a_file_itself() -> None:
    """Where its type is listed."""
    rules = {**RULES, "content_types": ["image/*"]}
    async with proxied(Recording(), validate=rules) as (_plane, client):
        right = await client.get("/x", "Content-Type: image/png", method="PUT", body=PNG)
        wrong = await client.get("/x", "Content-Type: image/png", method="PUT", body=b"MZ" + b"\0" * 2000)

    assert (right.status, wrong.status) == (200, 415)


async def test_a_route_takes_json_and_forms() -> None:
    """Each by its own rules."""
    rules = {**RULES, "body_schema": {"type": "object"}}
    async with proxied(Recording(), validate=rules) as (_plane, client):
        as_json = await client.get("/x", "Content-Type: application/json", method="POST", body=b"[]")
        as_form = await client.get("/x", FORM, method="POST", body=file(PNG) + b"--b--")

    assert (as_json.status, as_form.status) == (400, 200)


async def test_log_lets_pass_and_counts_once() -> None:
    """All of the body goes on."""
    recording = Recording()
    before = JUDGEMENTS.would_refuse.copy()
    body = file(b"MZ" + b"\0" * 100) + file(b"GIF89a") + b"--b--\r\n"
    async with proxied(recording, validate={**RULES, "mode": "log"}) as (_plane, client):
        answer = await client.get("/x", FORM, method="POST", body=body)

    assert answer.status == 200
    assert recording.last.body == body
    assert JUDGEMENTS.would_refuse - before == {("r", "validate", "file_type"): 1}


async def test_a_client_that_leaves_is_nobodys_failure() -> None:
    """In the middle of its file."""
    upstream = Listening()
    async with proxied(upstream, validate=RULES) as (plane, client):  # type: ignore[arg-type]
        await client.send(CHUNKED + chunk(file(PNG + b"1" * 2000)[:-2]))
        await upstream.got.wait()
        client.writer.close()
        [exchange] = await plane.until_finished(1)

    assert exchange.status == 499


SIZE = 200 * MB


def pieces() -> Iterator[bytes]:
    """A form with one large file."""
    yield file(PNG).removesuffix(b"\r\n")
    for _ in range(SIZE // (1 << 18)):
        yield bytes(1 << 18)
    yield b"\r\n--b--\r\n"


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_large_file_does_not_stay_in_memory() -> None:
    """200 MB go through, checked, and the process (client and service included) does not grow with them."""
    taken = 0
    most = 0

    async def upstream(peer: Peer) -> None:
        nonlocal taken, most
        await peer.head()
        while True:
            data = await peer.reader.read(1 << 18)
            taken += len(data)
            most = max(most, resident())
            if data.endswith(b"0\r\n\r\n"):
                break
        await peer.send(response(b"got it"))

    rules = {"upload": {"types": ["image/png"], "max_file": "201MB"}}
    async with proxied(upstream, validate=rules) as (_plane, client):  # type: ignore[arg-type]
        before = resident()
        await client.send(CHUNKED)
        for piece in pieces():
            await client.send(chunk(piece))
        await client.send(b"0\r\n\r\n")
        async with asyncio.timeout(60):
            answer = await client.answer()

    assert answer.status == 200
    assert taken > SIZE
    assert most - before < 24 * MB


async def test_who_reads_a_body_whole_meets_the_refusal() -> None:
    """A transformation of a body that is judged as a file."""
    recording = Recording()
    rules = {"upload": {"max_file": "100KB"}, "content_types": ["application/json"]}
    async with proxied(recording, validate=rules, transform={"request": "@"}) as (_plane, client):
        head = HEAD.replace(FORM.encode(), b"Content-Type: application/json")
        await client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        await client.send(chunk(b"[" + b"1," * 40_000))
        await client.send(chunk(b"1," * 40_000 + b"1]"))
        answer = await client.answer()

    assert answer.status == 413
    assert recording.requests == []


async def test_over_http2_the_stream_is_reset() -> None:
    """A service that speaks HTTP/2 sees no end either."""
    streams: list[Stream] = []
    got = asyncio.Event()

    async def handler(stream: Stream) -> None:
        streams.append(stream)
        got.set()
        await stream.reset_by_client.wait()

    async with Http2Upstream(handler) as upstream:
        services = {"s": {"protocol": "h2c", "targets": [{"url": upstream.url}]}}
        raw = document(route(service="s", validate=RULES), services=services)
        async with data_plane(raw) as plane, RawClient(plane.port) as client:
            await client.send(CHUNKED + chunk(file(PNG + b"1" * 2000)))
            await got.wait()
            await client.send(chunk(file(b"GIF89a" + b"3" * 2000, name="second")))
            answer = await client.answer()
            async with asyncio.timeout(5):
                await streams[0].reset_by_client.wait()

    assert answer.status == 415
    assert not streams[0].complete.is_set()
    assert b"GIF89a" not in streams[0].body


async def test_no_name_of_a_type_leads_around_a_schema() -> None:
    """What is listed is a file where the rules of uploads name it, else JSON."""
    listed = ["application/json", "text/plain", "image/png"]
    schema = {"type": "object"}
    for upload in ({"types": ["image/png"]}, {"max_file": "1MB"}):
        rules = {"content_types": listed, "body_schema": schema, "upload": upload}
        async with proxied(Recording(), validate=rules) as (_plane, client):
            text = await client.get("/x", "Content-Type: text/plain", method="POST", body=b"hello")
            picture = await client.get("/x", "Content-Type: image/png", method="POST", body=PNG)

        assert text.status == 400
        assert picture.status == (200 if "types" in upload else 400)
