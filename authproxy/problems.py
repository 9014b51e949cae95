"""P: The one place where refusals and outcomes become the error envelope."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import orjson

from authproxy.rejections import STATUS, Code, HeaderPairs, Rejection
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
    Outcome.NO_TIME: (
        Code.UPSTREAM_TIMEOUT,
        "The time that this request had was over before an answer came.",
    ),
    Outcome.UPSTREAM_ERROR: (
        Code.BAD_GATEWAY,
        "The upstream answered with an error, and there was no time to try again.",
    ),
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


def bad_answer(service: str, message: str) -> Rejection:
    """An upstream has answered, but nothing can be made of it."""
    return Rejection(Code.BAD_GATEWAY, message, details={"service": service, "reason": "bad_answer"})


def circuit_open(service: str, *, retry_after_s: float) -> Rejection:
    """The service has failed too often; it is left alone for a while."""
    wait_s = max(1, math.ceil(retry_after_s))
    return Rejection(
        Code.CIRCUIT_OPEN,
        "The service has failed repeatedly and is left alone for a while.",
        details={"service": service, "retry_after": wait_s},
        headers=((b"retry-after", b"%d" % wait_s),),
    )


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


Reason = Literal["missing", "invalid", "expired", "unavailable", "cross_site"]
"""Why nobody is known to call. "expired" is said only of a token whose signature was right; "unavailable" is the
identity store's fault; "cross_site" is a cookie that another site's page may have sent."""
_UNAUTHENTICATED: Final[dict[Reason, str]] = {
    "missing": "Credentials are needed here.",
    "invalid": "The credentials are not valid.",
    "expired": "The credentials have expired.",
}
_BEARER_ERROR: Final = ', error="invalid_token"'


def unauthenticated(reason: Reason, *, methods: Sequence[str], realm: str) -> Rejection:
    """The refusal of a request that nobody is known to have made; always of one shape (RFC 9110 section 11.6.1).

    A session cookie has no scheme of its own; `Cookie` is named only where nothing else would do.
    """
    if reason == "unavailable":
        return identities_unavailable()
    if reason == "cross_site":
        return cross_site()
    challenges = []
    if "jwt" in methods:
        error = "" if reason == "missing" else _BEARER_ERROR  # RFC 6750 section 3.1
        challenges.append(f'Bearer realm="{realm}"{error}')
    if "api_key" in methods:
        challenges.append(f'ApiKey realm="{realm}"')
    return Rejection(
        Code.AUTH_ERROR,
        _UNAUTHENTICATED[reason],
        details={"reason": reason, "methods": list(methods)},
        headers=tuple(
            (b"www-authenticate", challenge.encode("latin-1"))
            for challenge in challenges or [f'Cookie realm="{realm}"']
        ),
    )


def forbidden(lacking: Mapping[str, Any]) -> Rejection:
    """The caller is known, and may not."""
    return Rejection(Code.FORBIDDEN, "You may not do this.", details=lacking)


def cross_site() -> Rejection:
    """Browsers send cookies along with requests that other sites cause."""
    return Rejection(
        Code.FORBIDDEN,
        "A request that is made with a cookie must come from this site or carry its CSRF token.",
        details={"reason": "cross_site"},
    )


def identities_unavailable() -> Rejection:
    """Whoever was not seen lately cannot be looked up now."""
    return Rejection(
        Code.SERVICE_UNAVAILABLE,
        "Credentials cannot be checked at the moment.",
        details={"reason": "identities_unavailable"},
        headers=_RETRY_SOON,
    )


def overloaded(*, retry_after_s: float, **where: str) -> Rejection:
    """As many requests as may be are on their way; `where` names what is full, a route or a service."""
    wait_s = max(1, math.ceil(retry_after_s))
    return Rejection(
        Code.OVERLOADED,
        "There are too many requests at a time.",
        details={**where, "reason": "max_concurrency", "retry_after": wait_s},
        headers=((b"retry-after", b"%d" % wait_s),),
    )


_CODES: Final = {
    **{STATUS[code]: code for code in reversed(Code)},  # of several with one status the first
    STATUS[Code.SERVICE_UNAVAILABLE]: Code.SERVICE_UNAVAILABLE,
}
_FAULT_HEADERS: Final[Mapping[int, HeaderPairs]] = {
    401: ((b"www-authenticate", b"Bearer"),),
    405: ((b"allow", b""),),
    429: _RETRY_SOON,
    503: _RETRY_SOON,
}
"""What these statuses cannot go without (RFC 9110 sections 11.6.1 and 15.5.6), and what ours always have."""


def code_of(status: int) -> Code | None:
    """The code whose usual status this is; of several the first."""
    return _CODES.get(status)


def injected(status: int) -> Rejection:
    """A fault on purpose. It looks like the failure that it stands for, and says in its details that it is none."""
    code = _CODES.get(status, Code.SERVICE_UNAVAILABLE if status >= 500 else Code.INVALID_REQUEST)
    return Rejection(
        code,
        "This fault was injected on purpose.",
        details={"reason": "fault"},
        headers=_FAULT_HEADERS.get(status, ()),
        other_status=None if STATUS[code] == status else status,
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
