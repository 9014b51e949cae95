"""I: Request bodies on their way to the upstream, at the pace at which it takes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from authproxy.upstream.connection import Connection
from authproxy.upstream.errors import RequestBodyFailed
from authproxy.upstream.serialising import CHUNKED, LAST_CHUNK, chunk, wrong_length


async def pump(connection: Connection, stream: httpx.AsyncByteStream, length: int) -> None:
    """Write `stream`, framed as `length` says (bytes, or CHUNKED), until its end or the connection's.

    Never raises: what goes wrong becomes the connection's error, so that the upstream never takes a part for the whole.
    """
    parts = stream.__aiter__()
    try:
        if await _write(connection, parts, length):
            connection.uploaded()
    except httpx.TransportError as failure:
        connection.fail(failure)
    except Exception as failure:
        connection.fail(_body_failed(failure))
    finally:
        await _close(parts)


def _body_failed(cause: Exception) -> RequestBodyFailed:
    """Made in a frame of its own: in one that `cause` has passed, the two would keep each other alive."""
    failure = RequestBodyFailed(f"the request's body failed: {cause!r}")
    failure.__cause__ = cause
    return failure


async def flush(connection: Connection) -> None:
    """Wait until a body that was written at once has left; a large one does not fit into the socket's buffer."""
    connection.written = True
    await connection.drain()
    if not connection.closed:
        connection.uploaded()


async def _write(connection: Connection, parts: AsyncIterator[bytes], length: int) -> bool:
    """Write all of `parts`; False if the connection ended before."""
    transport = connection.transport
    written = 0
    async for part in parts:
        if connection.closed:
            return False
        if not part:
            continue
        if length == CHUNKED:
            transport.write(chunk(part))
        else:
            written += len(part)
            if written > length:
                raise wrong_length(length, written)
            transport.write(part)
        if connection.write_paused:
            await connection.drain()
    if length == CHUNKED:
        transport.write(LAST_CHUNK)
    elif written < length:
        raise wrong_length(length, written)
    connection.written = True
    await connection.drain()
    return not connection.closed


async def _close(parts: AsyncIterator[bytes]) -> None:
    """End an async generator now rather than when the garbage collector finds it."""
    aclose = getattr(parts, "aclose", None)
    if aclose is not None:
        with contextlib.suppress(Exception):
            await aclose()


async def stop(task: "asyncio.Task[None] | None") -> None:
    """Cancel an upload and wait until it has let go of the caller's stream."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait((task,))
