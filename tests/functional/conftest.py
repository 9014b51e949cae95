"""Fixtures for tests on real sockets."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import databases, loops
from tests.support.process import Site


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Server and upstream transport lean on loop details (end of stream, TLS, backpressure): tried on both."""
    return loops.BOTH if item.path.name.startswith(("test_upstream_", "test_server_")) else loops.PLAIN


@pytest.fixture
def site(tmp_path: Path, migrated_database: str) -> Iterator[Site]:
    """An installation with a migrated database of the kind that this run is on, and no shared store."""
    with databases.empty_database(tmp_path, like=migrated_database) as url:
        yield Site(tmp_path, {"DATABASE_URL": url})
