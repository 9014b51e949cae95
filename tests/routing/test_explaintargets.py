"""The targets that an explanation lists: configured ones, and those that registered themselves."""

from dataclasses import replace
from typing import Any

import pytest

from routing.explaintargets import listed, with_discovered
from routing.knowledge import NOTHING, Discovered, Knowledge, Standings
from routing.snapshot import CompiledService
from routing.targets import parse_target
from tests.support.snapshots import snapshot_of


def service(*urls: str, **more: Any) -> CompiledService:
    raw = {"name": "s", "targets": [{"url": url} for url in urls], **more}
    return snapshot_of({"version": 1, "services": [raw]}).services["s"]


def lease(url: str, **more: Any) -> Discovered:
    return Discovered(parse_target(url), **more)


def knowing(*discovered: Discovered, standings: Standings | None = None) -> Knowledge:
    return replace(NOTHING, targets=lambda _: standings or {}, discovered=lambda _: discovered)


def shown(found: CompiledService, known: Knowledge, **more: Any) -> list[tuple[str, bool, str | None]]:
    """URL, whether it is chosen, and its state."""
    given = {"headers": (), "caller": None, **more}
    _, targets = listed(found, known, **given)
    return [(each["url"], each["chosen"], each.get("state")) for each in targets]


def test_registered_targets_are_candidates() -> None:
    """After the configured ones; where these cannot take it, one of them is chosen."""
    known = knowing(lease("http://b:1"), lease("http://c:1"))
    assert shown(service("http://a"), known) == [
        ("http://a", True, None),
        ("http://b:1", False, "unchecked"),
        ("http://c:1", False, "unchecked"),
    ]
    ill = replace(known, targets=lambda _: {"http://a": "unhealthy", "http://b:1": "healthy"})
    assert shown(service("http://a"), ill) == [
        ("http://a", False, "unhealthy"),
        ("http://b:1", True, "healthy"),
        ("http://c:1", False, "unchecked"),
    ]
    assert shown(service(), known)[0] == ("http://b:1", True, "unchecked")


@pytest.mark.parametrize("state", ["quarantined", "draining"])
def test_what_takes_no_traffic_is_listed_and_never_chosen(state: Any) -> None:
    """Last, whatever its checks say."""
    known = knowing(lease("http://b:1", state=state), standings={"http://b:1": "healthy"})
    assert shown(service("http://a"), known) == [("http://a", True, None), ("http://b:1", False, state)]
    chosen, targets = listed(service(), known, headers=(), caller=None)
    assert (chosen, [each["state"] for each in targets]) == (None, [state])


def test_a_stale_lease_takes_traffic_until_it_is_ended() -> None:
    """As workers have it; one whose checks fail is not chosen for that."""
    stale = lease("http://b:1", is_stale=True, registered_by="robot", expires_at=0.0)
    chosen, [target] = listed(service(), knowing(stale), headers=(), caller=None)
    assert chosen is stale.target
    assert target == {
        "url": "http://b:1",
        "chosen": True,
        "weight": 1,
        "zone": None,
        "backup": False,
        "drain": False,
        "origin": "lease",
        "registered_by": "robot",
        "expires_at": "1970-01-01T00:00:00Z",
        "state": "stale",
    }
    ill = knowing(stale, standings={"http://b:1": "unhealthy"})
    assert listed(service(), ill, headers=(), caller=None)[0] is None


def test_an_address_that_is_configured_as_well_is_the_configured_one() -> None:
    """As for workers."""
    found, discovered = with_discovered(service("http://a"), knowing(lease("http://a")))
    assert ([each.url for each in found.targets], discovered) == (["http://a"], ())


def test_the_client_s_address_decides_where_it_is_hashed() -> None:
    """The same address leads to the same target; with very many, not all lead to one."""
    found = service("http://a", load_balancing="consistent_hash", hash_on="ip")
    known = knowing(*(lease(f"http://b{number}:1") for number in range(5)))

    def chosen(address: str) -> str:
        return next(url for url, is_chosen, _ in shown(found, known, address=address) if is_chosen)

    by_address = {f"192.0.2.{number}": chosen(f"192.0.2.{number}") for number in range(40)}
    assert len(set(by_address.values())) > 3
    assert all(chosen(address) == url for address, url in by_address.items())
