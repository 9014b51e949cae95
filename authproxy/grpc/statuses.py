"""P: Statuses of gRPC calls, and what they are in HTTP (the table in google/rpc/code.proto)."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from authproxy.headers import Pair
from authproxy.problems import code_of
from authproxy.rejections import STATUS, Code, Rejection


class Status(NamedTuple):
    """One status: its number, its name, and the HTTP status that it is told as."""

    number: int
    name: str
    http: int


CLIENT_CLOSED: Final = 499
_TABLE: Final = (
    Status(0, "OK", 200),
    Status(1, "CANCELLED", CLIENT_CLOSED),
    Status(2, "UNKNOWN", 500),
    Status(3, "INVALID_ARGUMENT", 400),
    Status(4, "DEADLINE_EXCEEDED", 504),
    Status(5, "NOT_FOUND", 404),
    Status(6, "ALREADY_EXISTS", 409),
    Status(7, "PERMISSION_DENIED", 403),
    Status(8, "RESOURCE_EXHAUSTED", 429),
    Status(9, "FAILED_PRECONDITION", 400),
    Status(10, "ABORTED", 409),
    Status(11, "OUT_OF_RANGE", 400),
    Status(12, "UNIMPLEMENTED", 501),
    Status(13, "INTERNAL", 500),
    Status(14, "UNAVAILABLE", 503),
    Status(15, "DATA_LOSS", 500),
    Status(16, "UNAUTHENTICATED", 401),
)
UNKNOWN: Final = _TABLE[2]
UNIMPLEMENTED: Final = _TABLE[12]
_LONGEST_MESSAGE: Final = 2000


def status_of(number: int) -> Status:
    """A number that is none is UNKNOWN, as the specification says."""
    return _TABLE[number] if 0 <= number < len(_TABLE) else UNKNOWN


def error_of(status: Status, message: str, details: list[Any], *, service: str) -> Rejection:
    """What a client is told of a call that failed: the gateway's envelope with the upstream's own words in it."""
    said: Mapping[str, Any] = {
        "status": status.name,
        "code": status.number,
        "message": message[:_LONGEST_MESSAGE],
        "details": details,
    }
    code = code_of(status.http) or (Code.BAD_GATEWAY if status.http >= 500 else Code.INVALID_REQUEST)
    headers: tuple[Pair, ...] = fields_of(status)
    if status.http in (429, 503):
        headers = (*headers, (b"retry-after", b"1"))
    return Rejection(
        code,
        message[:_LONGEST_MESSAGE] or f"The call ended with {status.name}.",
        details={"service": service, "reason": "grpc", "grpc": said},
        headers=headers,
        other_status=None if STATUS[code] == status.http else status.http,
    )


def fields_of(status: Status) -> tuple[Pair, ...]:
    """The status as a header field, where clients of gRPC look for it."""
    return ((b"grpc-status", b"%d" % status.number),)
