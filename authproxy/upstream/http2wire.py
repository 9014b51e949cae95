"""I: The sockets of HTTP/2 connections, for httpcore: what has begun to be written is written, whoever leaves.

A connection carries the frames of all its requests, and the two ends keep common books on them (RFC 9113 section
4.3). So bytes that were taken from the engine must not be lost when the request is cancelled that happened to carry
them: `put` takes them at once, and only waiting for room can be cancelled.
"""

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore
import httpx

from authproxy.upstream.dialling import Dialler, Origin
from authproxy.upstream.errors import TlsFailed
from authproxy.upstream.resolver import Address, Addresses, shared_resolver

MOST_UNREAD: Final = 1 << 18
MOST_DIALLERS: Final = 1024


class Wire(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection. At most one reads and one writes at a time: httpcore's locks see to that."""

    def __init__(self, dialler: Dialler | None = None, address: Address | None = None) -> None:
        """`address` is where it leads, of those that `dialler` knows."""
        self._dialler = dialler
        self._address = address
        self._known: Addresses | None = None
        self._is_left = False
        self._transport: asyncio.Transport
        self._got = bytearray()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._failure: Exception | None = None
        self._is_paused = False
        self.is_over = False
        """Nothing more will come."""

    @property
    def is_left(self) -> bool:
        """Whether the name that it was opened for has other addresses by now."""
        known = None if self._dialler is None else self._dialler.known_addresses()
        if known is not self._known:
            self._known = known
            self._is_left = bool(known) and self._address not in (known or ())
        return self._is_left

    # httpcore's side

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        """What has come, at least a byte; nothing at the end. Raises ReadTimeout, ReadError."""
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError as late:
            raise httpcore.ReadTimeout("the upstream sent nothing for too long") from late
        data = bytes(self._got[:max_bytes])
        del self._got[:max_bytes]
        if not self._got and not self.is_over:
            self._arrived.clear()
        if self._is_paused and len(self._got) < MOST_UNREAD:
            self._is_paused = False
            self._transport.resume_reading()
        if not data and self._failure is not None:
            raise httpcore.ReadError(str(self._failure)) from self._failure
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        """Returns when there is room again. Raises WriteTimeout, WriteError."""
        self.put(buffer)
        try:
            async with asyncio.timeout(timeout):
                await self._writable.wait()
        except TimeoutError as late:
            raise httpcore.WriteTimeout("the upstream took nothing for too long") from late

    def put(self, data: bytes) -> None:
        """Takes them without waiting. Raises WriteError."""
        if not data:
            return
        if self.is_over or self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(data)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
    ) -> "Wire":
        """Itself, encrypted. Raises ConnectTimeout, TlsFailed."""
        loop = asyncio.get_running_loop()
        plain = self._transport
        try:
            async with asyncio.timeout(timeout):
                secured = await loop.start_tls(plain, self, ssl_context, server_hostname=server_hostname)
        except TimeoutError as late:
            plain.abort()
            raise httpx.ConnectTimeout(f"{server_hostname}: no TLS handshake in time") from late
        except OSError as failure:  # ssl.SSLError is one
            plain.abort()
            raise TlsFailed(f"{server_hostname}: {failure}") from failure
        except BaseException:
            plain.abort()
            raise
        if secured is None:  # it was lost meanwhile
            raise TlsFailed(f"{server_hostname}: the upstream hung up")
        self._transport = secured
        return self

    async def aclose(self) -> None:
        self._transport.abort()

    def get_extra_info(self, info: str) -> Any:
        return self._transport.get_extra_info(info)

    # The event loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._got += data
        self._arrived.set()
        if len(self._got) >= MOST_UNREAD and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, failure: Exception | None) -> None:
        self.is_over, self._failure = True, failure
        self._arrived.set()
        self._writable.set()


class Wires(httpcore.AsyncNetworkBackend):
    """Opens connections as the other transports do: names that are remembered, addresses in turn."""

    def __init__(self) -> None:
        self._diallers: dict[tuple[str, int], Dialler] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> Wire:
        """Raises ConnectTimeout, ConnectError, NameResolutionFailed."""
        dialler = self._diallers.get((host, port))
        if dialler is None:
            origin = Origin("http", host, port)
            dialler = Dialler(origin, resolver=shared_resolver(), tls=None, server_name=None)
            if len(self._diallers) >= MOST_DIALLERS:
                del self._diallers[next(iter(self._diallers))]
            self._diallers[host, port] = dialler
        try:
            async with asyncio.timeout(timeout):
                return await dialler.dial(lambda _, address: Wire(dialler, address))
        except TimeoutError as late:
            raise httpx.ConnectTimeout(f"{dialler.origin}: no connection in time") from late
