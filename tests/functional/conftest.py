"""Fixtures for tests on real sockets."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.support import loops


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The upstream transport leans on loop details (end of stream, TLS, backpressure), so it is tried on both."""
    return loops.BOTH if item.path.name.startswith("test_upstream_") else loops.PLAIN
