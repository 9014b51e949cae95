"""Fixtures for tests on real sockets."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.support import loops


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Server and upstream transport lean on loop details (end of stream, TLS, backpressure): tried on both."""
    return loops.BOTH if item.path.name.startswith(("test_upstream_", "test_server_")) else loops.PLAIN
