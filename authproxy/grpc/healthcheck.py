"""I: One call of grpc.health.v1.Health/Check. Its two messages are small enough to be written out here."""

from typing import Any, Final

import grpc
from grpc import aio

PATH: Final = "/grpc.health.v1.Health/Check"
SERVING: Final = "SERVING"
STATUSES: Final = ("UNKNOWN", SERVING, "NOT_SERVING", "SERVICE_UNKNOWN")
_MOST_VARINT: Final = 1 << 7


async def ask_health(channel: aio.Channel, name: str, timeout_s: float) -> str:
    """The status's name for `name` (empty: the server as a whole), or why there is none."""
    try:
        answer: Any = await channel.unary_unary(PATH)(request_of(name), timeout=timeout_s)
    except aio.AioRpcError as failure:
        return _words(failure, name)
    return status_in(answer)


def request_of(name: str) -> bytes:
    """`HealthCheckRequest {string service = 1}`, serialised."""
    data = name.encode()
    if not data:
        return b""
    size, length = len(data), bytearray()
    while size >= _MOST_VARINT:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return b"\x0a" + bytes((*length, size)) + data


def status_in(answer: bytes) -> str:
    """Of `HealthCheckResponse {ServingStatus status = 1}`; no field is the number 0."""
    if not answer:
        return STATUSES[0]
    if len(answer) >= 2 and answer[0] == 0x08 and answer[1] < len(STATUSES):
        return STATUSES[answer[1]]
    return "an answer that is not to be read"


def _words(failure: aio.AioRpcError, name: str) -> str:
    code = failure.code()
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return "the server has no grpc.health.v1.Health"
    if code is grpc.StatusCode.NOT_FOUND:
        return f'the server knows no health of "{name}"'
    return f"{code.name}: {failure.details() or ''}".rstrip(": ")
