"""P: Dates of HTTP (RFC 9110 section 5.6.7): the three forms that may come, and the one that is sent."""

from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Final

LONGEST: Final = 64


def moment(value: bytes) -> float | None:
    """Epoch seconds; None for what is no date."""
    return None if len(value) > LONGEST else _moment(value)


@lru_cache(maxsize=1024)
def _moment(value: bytes) -> float | None:
    text = value.decode("latin-1")
    try:
        read = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    try:
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def http_date(at: float) -> bytes:
    """As a field has it."""
    return _written(int(at))


@lru_cache(maxsize=16)
def _written(at: int) -> bytes:
    return formatdate(at, usegmt=True).encode("ascii")


def is_before(one: bytes, other: bytes) -> bool:
    """Whether both are dates and `one` is not later."""
    first, second = moment(one), moment(other)
    return first is not None and second is not None and first <= second
