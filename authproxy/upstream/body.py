"""I: The body of an answer: read without suspending as far as it is there, and then as it comes."""

import asyncio
import ssl

import httpx

from authproxy.upstream.connection import NEVER, Connection
from authproxy.upstream.parsing import Pair
from authproxy.upstream.pool import Pool
from authproxy.upstream.upload import stop


class ResponseBody(httpx.AsyncByteStream):
    """An httpx byte stream with two quicker ways to read: `take` and `next`.

    Whoever gets a response reads it to the end or calls `aclose`; until then the connection is taken.
    """

    __slots__ = ("_connection", "_pool", "_trailers", "_upload", "released")

    def __init__(self, connection: Connection, pool: Pool, upload: "asyncio.Task[None] | None") -> None:
        self._connection = connection
        self._pool = pool
        self._upload = upload
        self._trailers: list[Pair] | None = None
        self.released = False
        """The connection has been given back; nothing more will come."""

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The connection's, if it is TLS. To be asked before the body is read: then the connection is another's."""
        found: ssl.SSLObject | None = self._connection.transport.get_extra_info("ssl_object")
        return found

    def take(self) -> tuple[bytes, bool]:
        """What has arrived (perhaps nothing), and whether the body has ended with it. Never waits, never raises."""
        if self.released:
            return b"", True
        connection = self._connection
        reader = connection.reader
        data = reader.take()
        if connection.read_paused:
            connection.resume_reading()
        if not reader.complete:
            return data, False
        if not connection.uploading or connection.sent_whole:
            self._release()
        return data, True

    async def next(self) -> tuple[bytes, bool]:
        """The same, but waits until there is something. Raises BodyBroken, BodyTimeout, or what broke the upload."""
        connection = self._connection
        while True:
            data, done = self.take()
            if data or done:
                return data, done
            error = connection.error
            if error is not None:
                self._release()
                try:
                    raise error
                finally:
                    del error  # it leads back here through its traceback
            waiter = connection.waiter = connection.loop.create_future()
            connection.read_until = connection.loop.time() + connection.read_s
            await waiter
            connection.read_until = NEVER

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Of a 101: the connection, which is the caller's from now on, and what has come on it after the head."""
        self.released = True
        return self._pool.let_go(self._connection)

    def trailers(self) -> list[Pair]:
        """The trailer fields (RFC 9110 section 6.5), names in lower case. Empty until the body has ended."""
        return self._trailers or []

    def __aiter__(self) -> "ResponseBody":
        return self

    async def __anext__(self) -> bytes:
        data, done = await self.next()
        if data:
            return data
        assert done
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Give the connection back: for another request if the answer was read to its end, else closed."""
        if not self.released:
            self._release()
        await stop(self._upload)

    def _release(self) -> None:
        self.released = True
        if self._upload is not None:
            self._upload.cancel()  # it must not touch the connection any more
        self._trailers = self._connection.reader.trailers
        self._pool.release(self._connection)
