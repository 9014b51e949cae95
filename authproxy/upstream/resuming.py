"""I: HTTP/1.1 to upstreams whose connections each serve one request, and resume TLS sessions: health checks."""

import asyncio
import ssl

import httpx

from authproxy.upstream import slim
from authproxy.upstream.dialling import Dialler, Origin
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.resolver import Resolver
from authproxy.upstream.sessions import Sessions
from authproxy.upstream.tls import Contexts, TlsOptions


class ResumingTransport(Http1Transport):
    """Learns sessions by origin, and offers them. Whoever made `sessions` says which origins there are."""

    def __init__(
        self, *, sessions: Sessions, limits: PoolLimits | None = None, tls: TlsOptions | None = None
    ) -> None:
        super().__init__(limits=limits, tls=tls)
        self._sessions = sessions

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "https":
            return await super().handle_async_request(request)
        origin = Origin.of(request.url)
        try:
            response = await super().handle_async_request(request)
        except BaseException:
            self._sessions.forget(origin)
            raise
        tls = slim.body(response).ssl_object
        if tls is not None:
            self._sessions.learn(origin, tls, asyncio.get_running_loop().time())
        return response

    def _dialler_of(self, origin: Origin, tls: Contexts | None) -> Dialler:
        return ResumingDialler(
            origin, resolver=self._resolver, tls=tls, server_name=self._tls.sni, sessions=self._sessions
        )


class ResumingDialler(Dialler):
    """Opens connections that offer their origin's session."""

    def __init__(
        self,
        origin: Origin,
        *,
        resolver: Resolver,
        tls: Contexts | None,
        server_name: str | None,
        sessions: Sessions,
    ) -> None:
        super().__init__(origin, resolver=resolver, tls=tls, server_name=server_name)
        self._sessions = sessions

    def _context(self, tls: ssl.SSLContext) -> ssl.SSLContext:
        return self._sessions.offering(self.origin, tls, asyncio.get_running_loop().time())
