from dataclasses import FrozenInstanceError, fields

import pytest

from routing.matching import index_of
from routing.snapshot import HeaderOps, Miss, Redirect, Snapshot
from tests.support.reference_matcher import make_route


def test_values_are_frozen() -> None:
    """Nothing that a request reads can change under it."""
    route = make_route()
    with pytest.raises(FrozenInstanceError):
        route.priority = 1  # type: ignore[misc]
    for value in (route, HeaderOps(), Miss(), Redirect(301)):
        assert not hasattr(value, "__dict__")


def test_what_other_layers_attach_does_not_count() -> None:
    """Two routes with the same meaning are equal, whatever hangs on them and however they were written."""
    assert make_route(source={"a": 1}, plan=object()) == make_route(source={"b": 1}, plan=object())
    assert make_route(priority=1) != make_route()


def test_a_snapshot_is_short_in_logs() -> None:
    """Its text names the revision, not ten thousand routes."""
    snapshot = Snapshot(7, "abc", {}, {"r": make_route()}, index_of([]))
    assert repr(snapshot) == "Snapshot(revision=7, digest='abc')"
    assert {field.name for field in fields(snapshot)} >= {"services", "routes", "disabled", "index"}
