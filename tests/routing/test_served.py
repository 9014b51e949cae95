"""What a process serves, for whoever compiles beside it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from routing import served
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import Snapshot
from tests.support.configuration import small

OPTIONS = CompileOptions(env={"A": "1"})
SNAPSHOT = compile_snapshot(small(), revision=1, options=OPTIONS)


def read() -> Snapshot:
    return SNAPSHOT


@pytest.fixture(autouse=True)
def bound() -> Iterator[None]:
    """A worker whose hooks attach something."""
    served.bind(read, replace(OPTIONS, prepare_route=lambda _: "a plan", prepare_service=lambda _: "a pool"))
    yield
    served.unbind(read)


def test_it_is_found_by_whoever_would_compile_the_same() -> None:
    """Whatever hooks attach; under other settings or variables it may mean something else."""
    assert served.served(replace(OPTIONS, env={"A": "1"})) is SNAPSHOT
    assert served.served(replace(OPTIONS, env={"A": "2"})) is None
    assert served.served(replace(OPTIONS, service_timeout_s=1.0)) is None


def test_where_nothing_is_served_there_is_nothing() -> None:
    """Only who has bound it takes it away."""
    served.unbind(lambda: SNAPSHOT)
    assert served.served(OPTIONS) is SNAPSHOT
    served.unbind(read)
    assert served.served(OPTIONS) is None
