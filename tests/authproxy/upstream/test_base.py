"""Tests of the interface of transports."""

import pytest

from authproxy.upstream.base import PoolStats, Transport
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.http2 import Http2Transport


def test_a_transport_must_control_its_pools() -> None:
    """handle_async_request alone is not enough."""

    class Half(Transport):
        pass

    with pytest.raises(TypeError, match=r"aclose.*keep_only.*retire.*stats"):
        Half()


def test_both_protocols_are_transports() -> None:
    """The gateway need not know which one a service has."""
    assert issubclass(Http1Transport, Transport)
    assert issubclass(Http2Transport, Transport)


def test_numbers_are_values() -> None:
    """Equal numbers are equal, and cannot be changed."""
    stats = PoolStats(open=2, idle=1, connecting=0, waiting=3)

    assert stats == PoolStats(2, 1, 0, 3)
    with pytest.raises(AttributeError):
        stats.open = 3  # type: ignore[misc]
