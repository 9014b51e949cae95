"""Whether a route admits a caller by what was kept of it; or what one would have to know."""

from typing import Any

import pytest

from observability.replay import standings
from observability.replay.recorded import Recorded
from observability.replay.standings import standing
from tests.support.configuration import route, small
from tests.support.replays import by, pair, recorded

AZURE = {"name": "azure", "issuer": "https://id.test", "jwks_url": "https://id.test/keys"}
OTHER = {**AZURE, "audience": "other"}


def asked(given: Recorded, auth: dict[str, Any], before: Any = None, **after: Any) -> str:
    """The code of the refusal, what is missing, or nothing."""
    here = small() if before is None else before
    found = pair(here, {**small(), "routes": [route(auth=auth)], **after})
    side = found.after
    told = standing(given, side.snapshot.routes["orders"], side, found)
    return told if isinstance(told, str) else "" if told.refusal is None else told.refusal.code


USER = {"level": "user"}
CHEFS = {"level": "user", "roles": ["chef"]}
COOKIE = (("cookie", "…"),)


def test_nobody() -> None:
    """Without credentials it is refused; with some that were not looked at, nobody knows."""
    before = {**small(), "routes": [route(auth=USER)]}
    failed = {"headers": COOKIE, "code": "AUTH_ERROR", "status": 401}
    assert asked(recorded(), USER) == "AUTH_ERROR"
    assert asked(recorded(headers=COOKIE), USER) == standings.NOT_LOOKED_AT
    assert asked(recorded(facts={"auth_failure": "missing"}, **failed), USER, before) == "AUTH_ERROR"
    assert asked(recorded(facts={"auth_failure": "unavailable"}, **failed), USER, before) == standings.AWAY
    earlier = recorded(facts={"auth_failure": "missing"}, revision=1, **failed)
    assert asked(earlier, USER, before) == standings.NOT_LOOKED_AT


def test_invalid_credentials_where_the_route_is_public() -> None:
    """They count only where the route says so."""
    given = recorded(headers=COOKIE, facts={"auth_failure": "expired"})
    assert asked(given, {"level": "public"}) == ""
    assert asked(given, {"level": "public", "reject_invalid": True}) == "AUTH_ERROR"


def test_another_way_in() -> None:
    """A credential of another kind does not count; of several, only one was kept."""
    keys = {"level": "user", "methods": ["api_key"]}
    assert asked(recorded(**by()), keys) == "AUTH_ERROR"
    several = by()
    several["headers"] = (*several["headers"], ("x-api-key", "…"))
    assert asked(recorded(**several), keys) == standings.OTHERS


@pytest.mark.parametrize(
    ("before", "after", "roles", "expected"),
    [
        (False, False, ["chef"], ""),
        (False, False, [], "FORBIDDEN"),
        (False, True, [], standings.ROLES),
        (True, False, ["chef"], standings.ROLES),
        (True, True, ["chef"], ""),
    ],
)
def test_roles_by_default(before: bool, after: bool, roles: list[str], expected: str) -> None:
    """Whoever has a role may have had it only because everybody has."""
    here = {**small(), "roles": [{"name": "chef", "default": before}]}
    there = [{"name": "chef", "default": after}]
    assert asked(recorded(**by(roles=roles)), CHEFS, here, roles=there) == expected


def test_more_roles_than_are_kept() -> None:
    """The one that is asked for may be among the others."""
    many = by(roles=[f"r{number}" for number in range(100)])
    assert asked(recorded(**many), CHEFS) == standings.TOO_MANY


def test_providers() -> None:
    """A token was not kept: whether another provider takes it, nobody knows."""
    before = {**small(), "identity_providers": [AZURE]}
    given = recorded(**by(provider="azure"))
    assert asked(given, USER, before, identity_providers=[AZURE]) == ""
    assert asked(given, USER, before, identity_providers=[OTHER]) == standings.PROVIDER
    assert asked(given, USER, before) == standings.PROVIDER
    assert asked(given, {"level": "public"}, before) == ""
