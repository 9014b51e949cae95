"""Where a policy in mode log stands, and what enforcing it changes."""

import pytest

from observability.requests.enforcing import NothingToEnforce, enforced, in_mode_log

LOGGED = {"allow": ["10.0.0.0/8"], "mode": "log"}


def test_a_route_s_own_policy() -> None:
    """The entry without its mode; what is not changed is not named, and the argument stays as it is."""
    document = {
        "version": 1,
        "defaults": {"ip": LOGGED},
        "routes": [{"name": "r", "ip": LOGGED}, {"name": "q"}],
    }
    changes, places = enforced(document, "r", "ip")

    assert changes == {"version": 1, "routes": [{"name": "r", "ip": {"allow": ["10.0.0.0/8"]}}]}
    assert places == ["route r"]
    assert LOGGED["mode"] == "log"


def test_what_a_route_has_from_the_defaults() -> None:
    """It is enforced there, for all of its routes."""
    document = {"version": 1, "defaults": {"ip": LOGGED}, "routes": [{"name": "q"}]}

    assert enforced(document, "q", "ip") == (
        {"version": 1, "defaults": {"ip": {"allow": ["10.0.0.0/8"]}}},
        ["defaults"],
    )


def test_quotas_have_a_mode_where_they_are_used_and_where_they_are_defined() -> None:
    """Both are enforced; other quotas stay."""
    uses = [{"name": "daily", "mode": "log"}, {"name": "other", "mode": "log"}, "third"]
    quota = {"name": "daily", "limit": 1, "per": "1s", "mode": "log"}
    document = {"version": 1, "routes": [{"name": "r", "quotas": uses}], "quotas": [quota]}
    changes, places = enforced(document, "r", "quotas", "daily")

    assert changes["routes"][0]["quotas"] == [{"name": "daily"}, {"name": "other", "mode": "log"}, "third"]
    assert changes["quotas"] == [{"name": "daily", "limit": 1, "per": "1s"}]
    assert places == ["route r", "quota daily"]


@pytest.mark.parametrize("route", ["r", "gone"])
def test_what_is_enforced_already_is_refused(route: str) -> None:
    """Nothing is published for it."""
    with pytest.raises(NothingToEnforce, match="not in mode log"):
        enforced({"version": 1, "routes": [{"name": "r", "ip": {"allow": ["10.0.0.0/8"]}}]}, route, "ip")


def test_all_that_is_in_mode_log() -> None:
    """Of the route itself, of the defaults where it says nothing, and of a quota wherever it is used."""
    document = {
        "version": 1,
        "defaults": {"ip": LOGGED, "quotas": ["daily"]},
        "quotas": [{"name": "daily", "mode": "log"}, {"name": "other"}],
        "routes": [
            {"name": "a"},
            {"name": "b", "ip": {"allow": []}, "quotas": ["other", {"name": "third", "mode": "log"}]},
        ],
    }

    assert list(in_mode_log(document)) == [
        ("a", "ip", ""),
        ("a", "quotas", "daily"),
        ("b", "quotas", "third"),
    ]
    for named in in_mode_log(document):
        assert enforced(document, *named)
