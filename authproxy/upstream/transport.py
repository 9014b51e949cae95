"""I: The transport for a service, by its protocol. The rest of the gateway needs this module, `slim` and `errors`."""

import contextlib
from typing import Final

from authproxy.upstream.base import Transport as Transport
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.resuming import ResumingTransport
from authproxy.upstream.sessions import Sessions
from authproxy.upstream.tls import TlsMisconfigured, TlsOptions, context_for, http2_context_for
from routing.problems import ConfigurationInvalid, Problem
from routing.snapshot import CompiledService

_HTTP1: Final = (Http1Transport, context_for)
_HTTP2: Final = (Http2Transport, http2_context_for)


def transport_for(service: CompiledService, sessions: Sessions | None = None) -> Transport:
    """A transport with the service's settings. Certificates that cannot be used fail its requests (TlsFailed).

    With `sessions`, connections of HTTP/1.1 resume them.
    """
    limits = PoolLimits(max_connections=service.max_connections, max_idle=service.max_connections)
    tls = _tls_options(service)
    if service.protocol == "grpc":
        return _grpc_transport(service, tls)
    build, context = _HTTP2 if service.protocol in ("h2", "h2c") else _HTTP1
    if any(target.scheme == "https" for target in service.targets):
        with contextlib.suppress(TlsMisconfigured):
            context(tls)  # it takes tens of milliseconds, which the first request should not wait for
    if sessions is not None and build is Http1Transport:
        return ResumingTransport(sessions=sessions, limits=limits, tls=tls)
    return build(limits=limits, tls=tls)


def _grpc_transport(service: CompiledService, tls: TlsOptions) -> Transport:
    """What gRPC needs is read only where a service speaks it. Raises ConfigurationInvalid where it is not installed."""
    try:
        from authproxy.grpc.transport import GrpcTransport
    except ImportError as missing:
        message = f'protocol grpc needs the extra "grpc", which is not installed ({missing.name} is missing)'
        place = f"services[{service.name}].protocol"
        raise ConfigurationInvalid([Problem("gateway.E048", place, message)]) from missing
    return GrpcTransport(tls, descriptors=service.descriptors)


def _tls_options(service: CompiledService) -> TlsOptions:
    spec = service.tls
    if spec is None:
        return TlsOptions()
    return TlsOptions(verify=spec.verify, ca=spec.ca, cert=spec.cert, key=spec.key, sni=spec.sni)
