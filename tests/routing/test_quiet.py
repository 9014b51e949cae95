"""Configurations come and go without long collections, and without a leak."""

import gc
from collections.abc import Iterator

import pytest

from routing.compiler import CompileOptions, compile_snapshot
from routing.quiet import collections_paused, settle
from tests.support.configuration import large


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    """Nothing stays frozen after a test."""
    yield
    gc.unfreeze()


def test_collections_resume_only_if_they_were_on() -> None:
    """Pauses nest."""
    with collections_paused():
        with collections_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_frozen_snapshot_is_freed_when_it_is_dropped() -> None:
    """It has no cycles that only a collection could free."""
    with collections_paused():
        snapshot = compile_snapshot(large(200), revision=1, options=CompileOptions())
        settle()
        before = gc.get_freeze_count()
        del snapshot
        assert gc.get_freeze_count() < before - 1000


def test_what_is_settled_is_not_walked_again() -> None:
    """A full collection has next to nothing to do."""
    kept = [{"n": [n]} for n in range(10_000)]
    settle()
    assert gc.get_freeze_count() >= 20_000
    assert len(gc.get_objects()) < 20_000
    del kept
