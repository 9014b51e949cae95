"""What the transport takes: calls, and nothing else."""

import httpx
import pytest

from authproxy.grpc.transport import GrpcTransport


async def test_a_request_without_a_call_is_not_sent() -> None:
    """No other destination may lead here."""
    with pytest.raises(httpx.LocalProtocolError):
        await GrpcTransport().handle_async_request(httpx.Request("GET", "http://127.0.0.1:1"))
