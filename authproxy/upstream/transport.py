"""I: The transport for a service, by its protocol. The rest of the gateway needs this module, `slim` and `errors`."""

from authproxy.upstream.base import Transport as Transport
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.http2 import Http2Transport
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.tls import TlsOptions
from routing.snapshot import CompiledService

_HTTP2 = frozenset({"h2", "h2c"})


def transport_for(service: CompiledService) -> Transport:
    """A transport with the service's settings. Raises TlsMisconfigured if its certificates cannot be used."""
    limits = PoolLimits(max_connections=service.max_connections, max_idle=service.max_connections)
    tls = _tls_options(service)
    if service.protocol in _HTTP2:
        return Http2Transport(limits=limits, tls=tls)
    return Http1Transport(limits=limits, tls=tls)


def _tls_options(service: CompiledService) -> TlsOptions:
    spec = service.tls
    if spec is None:
        return TlsOptions()
    return TlsOptions(verify=spec.verify, ca=spec.ca, cert=spec.cert, key=spec.key, sni=spec.sni)
