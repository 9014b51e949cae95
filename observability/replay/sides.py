"""P: Two configurations side by side, as far as one must know before requests are judged by both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from routing.snapshot import CompiledRoute, Snapshot, services_of

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Side:
    """A configuration, and what is not the same for callers as under the one that is live."""

    snapshot: Snapshot
    header_conditions: frozenset[bytes]
    query_conditions: frozenset[bytes]
    changed_providers: Names = frozenset()
    """Which are gone, or accept other tokens."""
    has_other_providers: bool = False
    more_roles: Names = frozenset()
    """Which accounts have here by default, and had not."""
    fewer_roles: Names = frozenset()


@dataclass(frozen=True, slots=True)
class Pair:
    """`before` is live. `is_on` False: routes admit anybody (ENABLE_AUTHENTICATION)."""

    before: Side
    after: Side
    is_on: bool = True
    realm: str = "torana"
    unchanged: Names = field(default_factory=frozenset)
    """Routes that do the same to the same request; but for quotas of plans, which are not judged."""


def pair_of(before: Snapshot, after: Snapshot, *, is_on: bool = True, realm: str = "torana") -> Pair:
    """Compares two configurations, once for all requests."""
    here = {provider.name: provider for provider in before.providers}
    there = {provider.name: provider for provider in after.providers}
    changed = frozenset(name for name, provider in here.items() if there.get(name) != provider)
    headers, query = mine = _conditions(before)
    if after.routes is not before.routes:
        headers, query = _conditions(after)
    side = Side(
        after,
        headers,
        query,
        changed,
        here != there,
        after.default_roles - before.default_roles,
        before.default_roles - after.default_roles,
    )
    return Pair(Side(before, *mine), side, is_on, realm, frozenset(_unchanged(before, after)))


def same_key(key: str, here: CompiledRoute, there: CompiledRoute, pair: Pair) -> bool:
    """Whether two routes say the same by a key, each on its side."""
    mine, yours = (
        route.source.get(key, snapshot.defaults.get(key))
        for route, snapshot in ((here, pair.before.snapshot), (there, pair.after.snapshot))
    )
    return bool(mine == yours)


def _conditions(snapshot: Snapshot) -> tuple[frozenset[bytes], frozenset[bytes]]:
    routes = snapshot.routes.values()
    return (
        frozenset(condition.name for route in routes for condition in route.headers),
        frozenset(condition.name for route in routes for condition in route.query),
    )


def _unchanged(before: Snapshot, after: Snapshot) -> Iterator[str]:
    same_rights = before.roles == after.roles and before.default_roles == after.default_roles
    same_callers = before.providers == after.providers
    changed = _changed(before.services, after.services)
    for name, route in before.routes.items():
        auth, other = route.auth, after.routes.get(name)
        if (
            (other is route or other == route)
            and (same_callers or (auth.level == "public" and not auth.reject_invalid))
            and (same_rights or not (auth.scopes or auth.roles))
            and (not changed or changed.isdisjoint(_services(route)))
        ):
            yield name


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> Names:
    """Names of what is not the same on both sides, or only on one; what is one object is not compared part by part."""
    if before is after:
        return frozenset()
    names = (
        name for name, mine in before.items() if (yours := after.get(name)) is not mine and yours != mine
    )
    return frozenset((*names, *(after.keys() - before.keys())))


def _services(route: CompiledRoute) -> tuple[str, ...]:
    return services_of(route.destination)
