"""P: The one place where refusals and outcomes become the error envelope."""

from typing import Final

import orjson

from authproxy.rejections import Code, HeaderPairs, Rejection
from resilience.outcomes import Outcome

_BY_OUTCOME: Final[dict[Outcome, tuple[Code, str]]] = {
    Outcome.DNS_ERROR: (Code.BAD_GATEWAY, "The upstream's name could not be resolved."),
    Outcome.CONNECT_REFUSED: (Code.BAD_GATEWAY, "The upstream could not be reached."),
    Outcome.CONNECT_TIMEOUT: (Code.UPSTREAM_TIMEOUT, "The upstream did not accept a connection in time."),
    Outcome.TLS_ERROR: (Code.BAD_GATEWAY, "No secure connection to the upstream could be made."),
    Outcome.POOL_TIMEOUT: (Code.OVERLOADED, "All connections to the upstream are busy."),
    Outcome.STALE: (Code.BAD_GATEWAY, "The upstream closed the connection without an answer."),
    Outcome.WRITE_TIMEOUT: (Code.UPSTREAM_TIMEOUT, "The upstream did not take the request in time."),
    Outcome.RESET: (Code.BAD_GATEWAY, "The upstream closed the connection without an answer."),
    Outcome.PROTOCOL_ERROR: (Code.BAD_GATEWAY, "The upstream's answer is not valid HTTP."),
    Outcome.READ_TIMEOUT: (Code.UPSTREAM_TIMEOUT, "The upstream did not answer in time."),
    Outcome.TOTAL_TIMEOUT: (Code.UPSTREAM_TIMEOUT, "The upstream did not answer in time."),
    Outcome.BODY_BROKEN: (Code.BAD_GATEWAY, "The upstream broke off its answer."),
    Outcome.BODY_TIMEOUT: (Code.UPSTREAM_TIMEOUT, "The upstream stopped in the middle of its answer."),
    Outcome.NO_TARGET: (Code.SERVICE_UNAVAILABLE, "The service has no target to send to."),
    Outcome.CLIENT_BODY: (Code.INVALID_REQUEST, "The request body broke off."),
    Outcome.CLIENT_GONE: (Code.INVALID_REQUEST, "The request body broke off."),
}
_RETRY_SOON: Final[HeaderPairs] = ((b"retry-after", b"1"),)


def from_outcome(outcome: Outcome, *, service: str) -> Rejection:
    """The refusal that a client gets when every attempt has failed with `outcome`."""
    code, message = _BY_OUTCOME.get(
        outcome, (Code.INTERNAL_ERROR, "The gateway could not serve this request.")
    )
    headers = _RETRY_SOON if code in (Code.SERVICE_UNAVAILABLE, Code.OVERLOADED) else ()
    return Rejection(code, message, details={"service": service, "reason": outcome.value}, headers=headers)


def not_found() -> Rejection:
    return Rejection(Code.NOT_FOUND, "No route matches this request.")


def method_not_allowed(allow: tuple[str, ...]) -> Rejection:
    """RFC 9110 section 15.5.6: a 405 lists what is allowed."""
    listed = ", ".join(allow)
    return Rejection(
        Code.METHOD_NOT_ALLOWED,
        f"Allowed here: {listed}.",
        details={"allow": list(allow)},
        headers=((b"allow", listed.encode("ascii")),),
    )


def payload_too_large(limit: int) -> Rejection:
    return Rejection(
        Code.PAYLOAD_TOO_LARGE,
        f"The body is larger than {limit} bytes.",
        details={"max_body": limit},
        close=True,
    )


def envelope(rejection: Rejection, *, request_id: str, timestamp: str) -> bytes:
    """The JSON body of an error answer."""
    return orjson.dumps(
        {
            "error": {
                "code": rejection.code.value,
                "message": rejection.message,
                "details": dict(rejection.details),
            },
            "request_id": request_id,
            "timestamp": timestamp,
        }
    )
