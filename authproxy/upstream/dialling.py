"""I: Opening connections: which address, which order, TCP or Unix socket, TLS on top.

Several addresses are tried one after the other, the next one as soon as one fails or after STAGGER_S of silence
(RFC 8305, "happy eyeballs"); the first that answers wins. Each connection starts with another address, so they share
the load; one that failed goes to the end for AVOID_S.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from authproxy.upstream.errors import TlsFailed
from authproxy.upstream.resolver import Address, Addresses, Resolver
from authproxy.upstream.tls import Contexts

STAGGER_S: Final = 0.25
AVOID_S: Final = 10.0

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)
Factory = Callable[[socket.socket, Address | None], _Protocol]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a pool's connections lead to."""

    scheme: str
    host: str
    port: int
    socket_path: str | None = None

    def __str__(self) -> str:
        if self.socket_path is not None:
            return f"unix:{self.socket_path}"
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @classmethod
    def of(cls, url: httpx.URL) -> "Origin":
        """Where `url` leads to. Schemes: http, https, unix (its path is the socket's)."""
        scheme = url.scheme
        if scheme == "unix":
            return cls(scheme, "", 0, url.path)
        if scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"no transport for {scheme!r}")
        return cls(scheme, url.raw_host.decode("ascii"), url.port or (443 if scheme == "https" else 80))


class Dialler:
    """Opens connections to one origin."""

    def __init__(
        self,
        origin: Origin,
        *,
        resolver: Resolver,
        tls: Contexts | None,
        server_name: str | None,
    ) -> None:
        self.origin = origin
        self._resolver = resolver
        self._tls = tls if origin.scheme == "https" else None
        self._server_name = server_name or origin.host
        self._literal = _literal(origin)
        self._turn = 0
        self._avoid_until: dict[Address, float] = {}

    async def dial(self, factory: Factory[_Protocol]) -> _Protocol:
        """A new connection; its time is the caller's. Raises ConnectError, NameResolutionFailed or TlsFailed."""
        sock, address = await self._connect()
        try:
            return await self._speak(sock, lambda: factory(sock, address))
        except OSError as failure:  # TCP stands, so this is the handshake (ssl.SSLError is an OSError)
            sock.close()
            raise TlsFailed(f"{self.origin}: {failure}") from failure
        except BaseException:
            sock.close()
            raise

    async def _speak(self, sock: socket.socket, factory: Callable[[], _Protocol]) -> _Protocol:
        loop = asyncio.get_running_loop()
        if self.origin.socket_path is not None:
            _, connection = await loop.create_unix_connection(factory, sock=sock)
        elif self._tls is None:
            _, connection = await loop.create_connection(factory, sock=sock)
        else:
            _, connection = await loop.create_connection(
                factory, sock=sock, ssl=self._context(self._tls()), server_hostname=self._server_name
            )
        return connection

    def _context(self, tls: ssl.SSLContext) -> ssl.SSLContext:
        """For one connection."""
        return tls

    def known_addresses(self) -> Addresses | None:
        """The origin's present addresses; None if it has no name that could change."""
        if self._literal or self.origin.socket_path is not None:
            return None
        return self._resolver.known(self.origin.host, self.origin.port)

    async def _connect(self) -> tuple[socket.socket, Address | None]:
        path = self.origin.socket_path
        try:
            if path is not None:
                return await _open(socket.AF_UNIX, path), None
            return await self._connect_any(await self._addresses())
        except OSError as failure:
            raise httpx.ConnectError(f"{self.origin}: {failure.strerror or failure}") from failure

    async def _addresses(self) -> Addresses:
        found = self._literal or await self._resolver.resolve(self.origin.host, self.origin.port)
        if len(found) == 1:
            return found
        self._turn += 1
        return self._ordered(found, asyncio.get_running_loop().time())

    def _ordered(self, found: Addresses, now: float) -> Addresses:
        start = self._turn % len(found)
        rotated = (*found[start:], *found[:start])
        return tuple(sorted(rotated, key=lambda address: self._avoid_until.get(address, 0.0) > now))

    async def _connect_any(self, addresses: Addresses) -> tuple[socket.socket, Address]:
        if len(addresses) == 1:
            return await _open(addresses[0].family, addresses[0].sockaddr), addresses[0]
        loop = asyncio.get_running_loop()
        remaining = iter(addresses)
        attempts: dict[asyncio.Task[socket.socket], Address] = {}
        failures: list[BaseException] = []
        try:
            while True:
                address = next(remaining, None)
                if address is not None:
                    attempts[loop.create_task(_open(address.family, address.sockaddr))] = address
                if not attempts:
                    raise failures[0]
                done, _ = await asyncio.wait(
                    attempts,
                    timeout=None if address is None else STAGGER_S,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for attempt in done:
                    address = attempts.pop(attempt)
                    failure = attempt.exception()
                    if failure is None:
                        self._avoid_until.pop(address, None)
                        return attempt.result(), address
                    failures.append(failure)
                    self._avoid_until[address] = loop.time() + AVOID_S
        finally:
            _abandon(attempts)


def _literal(origin: Origin) -> Addresses:
    """The address itself if the host is one, so that nothing has to be resolved."""
    try:
        version = ipaddress.ip_address(origin.host.partition("%")[0]).version
    except ValueError:
        return ()
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    found = socket.getaddrinfo(
        origin.host, origin.port, family, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )
    return (Address(family, found[0][4]),)


async def _open(family: int, address: object) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)  # type: ignore[arg-type]
    except BaseException:
        sock.close()
        raise
    return sock


def _abandon(attempts: Iterable["asyncio.Task[socket.socket]"]) -> None:
    """Cancel attempts that came second; close the sockets of those that came through meanwhile."""
    for attempt in attempts:
        attempt.cancel()
        attempt.add_done_callback(_discard)


def _discard(attempt: "asyncio.Task[socket.socket]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
