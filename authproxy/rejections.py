"""P: A refusal is a value. The codes a client can meet, and the status that each one answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

HeaderPairs = tuple[tuple[bytes, bytes], ...]


class Code(Enum):
    """Machine-readable reasons, as clients see them in `error.code`."""

    INVALID_REQUEST = "INVALID_REQUEST"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    AUTH_ERROR = "AUTH_ERROR"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
    RATE_LIMIT = "RATE_LIMIT"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    BAD_GATEWAY = "BAD_GATEWAY"
    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    OVERLOADED = "OVERLOADED"


STATUS: Final[Mapping[Code, int]] = {
    Code.INVALID_REQUEST: 400,
    Code.VALIDATION_ERROR: 400,
    Code.AUTH_ERROR: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.CONFLICT: 409,
    Code.PRECONDITION_FAILED: 412,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.HEADERS_TOO_LARGE: 431,
    Code.RATE_LIMIT: 429,
    Code.INTERNAL_ERROR: 500,
    Code.BAD_GATEWAY: 502,
    Code.UPSTREAM_TIMEOUT: 504,
    Code.CIRCUIT_OPEN: 503,
    Code.SERVICE_UNAVAILABLE: 503,
    Code.OVERLOADED: 503,
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the gateway itself answers instead of an upstream. `message` is for people; no secret goes in."""

    code: Code
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: HeaderPairs = ()
    close: bool = False
    """Close the client's connection after the answer: the rest of its request is not wanted."""
    other_status: int | None = None
    """Where the code's usual status does not fit, such as a redirect to HTTPS."""

    @property
    def status(self) -> int:
        return self.other_status or STATUS[self.code]
