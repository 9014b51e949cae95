"""Tests of sending request bodies, without sockets."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors, upload
from authproxy.upstream.serialising import CHUNKED
from tests.support.fetching import Pieces
from tests.support.wires import Wire


async def parts(*given: bytes | Exception) -> AsyncIterator[bytes]:
    for part in given:
        if isinstance(part, Exception):
            raise part
        yield part


def uploading() -> Wire:
    wire = Wire()
    wire.begin().hold_deadline(1000.0, 1010.0, write_s=5.0)
    return wire


@pytest.mark.parametrize(
    ("length", "written"), [(6, b"onetwo"), (CHUNKED, b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")]
)
async def test_a_stream_is_written_in_its_framing(length: int, written: bytes) -> None:
    """Part by part, empty ones left out."""
    wire = uploading()
    await upload.pump(wire.connection, Pieces(parts(b"one", b"", b"two")), length)

    assert bytes(wire.transport.written) == written
    assert (wire.connection.uploading, wire.connection.written) == (False, True)


@pytest.mark.parametrize(("length", "at_most"), [(5, b"one"), (7, b"onetwo"), (0, b"")])
async def test_a_wrong_length_fails_before_a_byte_too_many(length: int, at_most: bytes) -> None:
    """What does not fit is not written."""
    wire = uploading()
    await upload.pump(wire.connection, Pieces(parts(b"one", b"two")), length)

    assert bytes(wire.transport.written) == at_most
    assert isinstance(wire.connection.error, httpx.LocalProtocolError)
    assert wire.transport.aborted


async def test_a_failing_stream_fails_the_request() -> None:
    """With its exception as the cause."""
    wire = uploading()
    trouble = LookupError("gone")
    await upload.pump(wire.connection, Pieces(parts(b"one", trouble)), CHUNKED)

    assert isinstance(wire.connection.error, errors.RequestBodyFailed)
    assert wire.connection.error.__cause__ is trouble


async def test_a_closed_connection_ends_the_upload() -> None:
    """The stream is closed where it stands, even if closing it fails."""
    wire = uploading()
    closed = False

    async def stubborn() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            while True:
                yield b"x"
                wire.connection.close()
        finally:
            closed = True
            raise LookupError("will not close")

    await upload.pump(wire.connection, Pieces(stubborn()), CHUNKED)

    assert closed
    assert wire.connection.error is None
    assert bytes(wire.transport.written) == b"1\r\nx\r\n"


async def test_it_waits_while_the_upstream_does_not_take() -> None:
    """No further part is drawn until writing resumes; a close ends the waiting as well."""
    wire = uploading()
    wire.connection.pause_writing()
    task = asyncio.create_task(upload.pump(wire.connection, Pieces(parts(b"one", b"two")), 6))
    await asyncio.sleep(0.01)
    assert bytes(wire.transport.written) == b"one"
    wire.connection.resume_writing()
    await task
    assert bytes(wire.transport.written) == b"onetwo"

    closing = uploading()
    closing.connection.pause_writing()
    task = asyncio.create_task(upload.pump(closing.connection, Pieces(parts(b"one")), 3))
    await asyncio.sleep(0)
    closing.connection.close()
    await task
    assert closing.connection.uploading


async def test_flush_waits_for_what_was_written_at_once() -> None:
    """Then the upstream's time begins, unless it has gone."""
    for ends in ("resume_writing", "close"):
        wire = uploading()
        wire.connection.pause_writing()
        task = asyncio.create_task(upload.flush(wire.connection))
        await asyncio.sleep(0)
        getattr(wire.connection, ends)()
        await task
        assert wire.connection.uploading == (ends == "close")


async def test_stopping_waits_for_the_stream() -> None:
    """No task, a finished one and a running one."""
    let_go = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal let_go
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            let_go = True

    wire = uploading()
    task = asyncio.create_task(upload.pump(wire.connection, Pieces(endless()), CHUNKED))
    await asyncio.sleep(0)
    await upload.stop(None)
    await upload.stop(task)
    await upload.stop(task)

    assert let_go
    assert task.cancelled()
