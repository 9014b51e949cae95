"""I: `Proxy-Status` on errors, with PROXY_STATUS: whether the gateway made them, and why (RFC 9209)."""

from collections.abc import Coroutine
from typing import Any, Final

from authproxy.exchange import Exchange, Message
from authproxy.rejections import Code, Rejection
from resilience.outcomes import Outcome

_WHO: Final = "torana"
_LOCAL: Final = "proxy_internal_response"
"""Made here without asking anybody, for reasons that the standard has no word for."""
_BY_REASON: Final[dict[str, str]] = {
    Outcome.DNS_ERROR.value: "dns_error",
    Outcome.CONNECT_REFUSED.value: "connection_refused",
    Outcome.CONNECT_TIMEOUT.value: "connection_timeout",
    Outcome.TLS_ERROR.value: "tls_protocol_error",
    Outcome.POOL_TIMEOUT.value: "connection_limit_reached",
    Outcome.STALE.value: "connection_terminated",
    Outcome.RESET.value: "connection_terminated",
    Outcome.WRITE_TIMEOUT.value: "connection_write_timeout",
    Outcome.READ_TIMEOUT.value: "connection_read_timeout",
    Outcome.BODY_TIMEOUT.value: "connection_read_timeout",
    Outcome.TOTAL_TIMEOUT.value: "http_response_timeout",
    Outcome.NO_TIME.value: "http_response_timeout",
    Outcome.BODY_BROKEN.value: "http_response_incomplete",
    Outcome.UPSTREAM_ERROR.value: "destination_unavailable",
    Outcome.NO_TARGET.value: "destination_unavailable",
    "fault": _LOCAL,
    "only_if_cached": _LOCAL,
}
_BY_CODE: Final[dict[Code, str]] = {
    Code.NOT_FOUND: "destination_not_found",
    Code.AUTH_ERROR: "http_request_denied",
    Code.FORBIDDEN: "http_request_denied",
    Code.INTERNAL_ERROR: "proxy_internal_error",
    Code.BAD_GATEWAY: "http_protocol_error",
    Code.UPSTREAM_TIMEOUT: "http_response_timeout",
    Code.CIRCUIT_OPEN: "destination_unavailable",
    Code.SERVICE_UNAVAILABLE: _LOCAL,
    Code.OVERLOADED: "connection_limit_reached",
}
"""Where the reason decides nothing; every other code is a fault of the request."""


def tell(exchange: Exchange) -> None:
    """Makes this exchange's answer say it, if it is an error."""
    send = exchange.send

    def send_told(message: Message) -> Coroutine[Any, Any, None]:
        if message["type"] == "http.response.start":
            if exchange.refusal is not None:
                field = made(exchange.refusal)
            elif message["status"] >= 500 and exchange.answered:
                field = received(message["status"])
            else:
                return send(message)
            message["headers"] = [*message["headers"], (b"proxy-status", field)]
        return send(message)

    exchange.send = send_told


def made(refusal: Rejection) -> bytes:
    """Of an error that the gateway made: its type by the standard, and in `details` the code and the reason.

    What a gRPC service said itself has no type: `error` would say that the gateway made it up."""
    reason = refusal.details.get("reason")
    error = _BY_REASON.get(str(reason)) or _BY_CODE.get(refusal.code, "http_request_error")
    kind = "" if reason == "grpc" else f" error={error};"
    why = f" {reason}" if isinstance(reason, str) and reason.isascii() and reason.isidentifier() else ""
    return f'{_WHO};{kind} details="{refusal.code.value}{why}"'.encode()


def received(status: int) -> bytes:
    """Of a service's own error, which passes."""
    return b"%s; received-status=%d" % (_WHO.encode(), status)
