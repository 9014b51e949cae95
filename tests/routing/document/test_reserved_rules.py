"""Routes under paths that the gateway keeps for itself."""

import pytest

from routing.document.reserved_rules import ReservedPaths
from tests.support.documents import lines

RESERVED = ReservedPaths("/api/v1")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/admin", None),
        ("/admin/users", "prefix"),
        ("/health/x", "exact"),
        ("/%61dmin", "exact"),
        ("/metrics", "exact"),
        ("/api/v1/users/me", "prefix"),
        ("/api/v1/ws", "exact"),
    ],
)
def test_never_reached(path: str, kind: str | None) -> None:
    """The gateway's own endpoint takes every request that the route could match."""
    [found] = lines(RESERVED.check({"match": {"path": path, "path_type": kind}}))

    assert found.startswith("W002 match.path: ")
    assert "is never reached" in found


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "prefix"),
        ("/administrators", "prefix"),
        ("/metrics", "prefix"),
        ("/api/v1", "prefix"),
        ("/api/auth/login", "exact"),
        ("/admin/{x}", "template"),
        ("/admin/.*", "regex"),
        ("/admin%zz", "exact"),
        (None, None),
        (5, None),
        ("/admin", ["exact"]),
    ],
)
def test_reached(path: object, kind: object) -> None:
    """Routes that some request reaches, and values that are wrong in themselves."""
    assert lines(RESERVED.check({"match": {"path": path, "path_type": kind}})) == []


def test_without_a_match() -> None:
    """A route that matches everything is reached."""
    assert lines(RESERVED.check({})) == []
    assert lines(RESERVED.check({"match": "nonsense"})) == []


def test_prefix_is_a_setting() -> None:
    """The versioned endpoints move with API_PREFIX."""
    route = {"match": {"path": "/v2/ws", "path_type": "exact"}}

    assert lines(RESERVED.check(route)) == []
    assert len(lines(ReservedPaths("/v2").check(route))) == 1
