"""Fixtures and rules that hold for every test."""

import gc
import ipaddress
import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.db import connection
from hypothesis import HealthCheck, settings

from tests.support import assets, brokers, databases, flushing, rendering
from tests.support.browser import find_chromium, is_required
from tests.support.stopwatch import Stopwatch

NO_CHROMIUM = "Chromium was not found: the browser tests are left out."

# Runners and this suite's neighbours share processors, so a time limit per example would only be noise.
# "fast" is for each change, "deep" (HYPOTHESIS_PROFILE) for the night: other examples are drawn in each run of either.
settings.register_profile(
    "fast", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", parent=settings.get_profile("fast"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collecting makes a million objects that stay: looking through them again and again finds nothing to free."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_configure() -> None:
    assets.install()
    flushing.install()
    rendering.install()
    if is_required() and not find_chromium():
        raise pytest.UsageError("CI is set, but there is no Chromium for the browser tests")
    if is_required() and (missing := brokers.missing()):
        raise pytest.UsageError(f"CI is set, but nobody listens for the tests of {', '.join(missing)}")


def pytest_report_header() -> str | None:
    found = [] if find_chromium() else [NO_CHROMIUM]
    found += [f"{name} was not found: its tests are left out." for name in brokers.missing()]
    return "\n".join(found) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # of several, which else may wait for the last one's longest test
        items.sort(key=patience_s, reverse=True)
    absent = [*([] if find_chromium() else ["browser"]), *brokers.missing()]
    if not absent:
        return
    left_out = [item for item in items if any(map(item.get_closest_marker, absent))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def patience_s(item: pytest.Item) -> float:
    """How long a test may take, as far as it says."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker.args else marker.kwargs["timeout"]) if marker else 0.0


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would reach beyond this machine fails, whatever the network is like."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis. It may be shared: use keys and channels with a prefix of the test's own."""
    with databases.redis() as (url, _):
        yield url


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with tables and nothing in them, to be copied."""
    with databases.migrated_database(tmp_path_factory.mktemp("migrated")) as url:
        yield url


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_blocker: pytest_django.DjangoDbBlocker,
    migrated_database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """The database of the tests of this process: a copy, instead of migrations that each process does for itself."""
    with databases.empty_database(tmp_path_factory.mktemp("database"), like=migrated_database) as url:
        with django_db_blocker.unblock():
            flushing.use(url)
        yield
        with django_db_blocker.unblock():
            connection.close()


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """A new, empty database for a gateway that runs as a process of its own, of the kind this run is on."""
    with databases.empty_database(tmp_path) as url:
        yield url


@pytest.fixture
def stopwatch() -> Iterator[Stopwatch]:
    """Measures what has to be quick on a machine that has nothing else to do, whatever this one has to do."""
    with Stopwatch() as watch:
        yield watch


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; tests marked `browser` only run where there is one."""
    path = find_chromium()
    assert path is not None
    return path
