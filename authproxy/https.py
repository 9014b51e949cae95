"""P: ENFORCE_HTTPS: plain HTTP is sent to HTTPS, or refused; routed traffic and the gateway's own pages alike.

Scheme and host are the client's, as a trusted proxy tells them.
"""

from collections.abc import Callable
from typing import Final, Literal

from authproxy.exchange import Exchange
from authproxy.rejections import Code, Rejection

_WANTED: Final = "Only HTTPS is served here."


def refusal_for(enforce: Literal["off", "redirect", "refuse"]) -> Callable[[Exchange], Rejection] | None:
    """What to do with a request that came over plain HTTP; None lets it pass."""
    if enforce == "off":
        return None
    return _redirect if enforce == "redirect" else _refuse


def _refuse(_exchange: Exchange) -> Rejection:
    return Rejection(Code.FORBIDDEN, _WANTED, details={"reason": "https_required"})


def _redirect(exchange: Exchange) -> Rejection:
    """308 keeps method and body (RFC 9110 section 15.4.9). Without a Host there is nowhere to redirect to."""
    host = dict(exchange.origin.fields).get(b"x-forwarded-host", b"")
    if not host:
        return _refuse(exchange)
    query = exchange.scope["query_string"]
    target = b"https://" + _without_port(host) + exchange.path.forward + (b"?" + query if query else b"")
    return Rejection(
        Code.FORBIDDEN,
        _WANTED,
        details={"reason": "https_required"},
        headers=((b"location", target),),
        other_status=308,
    )


def _without_port(host: bytes) -> bytes:
    name, _, port = host.rpartition(b":")
    return name if port.isdigit() and name else host
