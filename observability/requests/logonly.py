"""D: Policies in mode log: whom each would have refused, and enforcing one; for admin, commands and the control API."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, Max, Min, Sum, Window
from django.db.models.functions import RowNumber

from observability.models import WouldRefuse
from observability.requests.enforcing import Named, NothingToEnforce, enforced, in_mode_log
from observability.requests.logged import logged_now
from routing.checking import Document
from routing.document.canonical import canonicalise
from routing.drafts import Actor
from routing.loader import read_entries
from routing.merging import Merge, merge
from routing.models import Quota, Route, RouteDefaults
from routing.problems import did_you_mean, quote
from routing.publishing import Outcome, apply_edit

ENFORCE: Final = ("routing.change_route", "routing.change_quota", "routing.change_routedefaults")
"""The permissions that enforcing takes: a policy may stand in any of these."""
SEE: Final = "observability.view_wouldrefuse"
MOST_GROUPS: Final = 500
MOST_CALLERS: Final = 20
KEYS: Final = ("route", "policy", "quota")


class NoSuchRoute(Exception):  # noqa: N818 - a refusal, told in one sentence
    """There is no route of this name; str(error) says so."""


@dataclass(frozen=True, slots=True)
class Group:
    """Whom one policy of a route would have refused; `rows` are those hit most often. `is_log` False: it is enforced
    by now, or gone."""

    route: str
    policy: str
    quota: str
    is_log: bool
    total: int = 0
    callers: int = 0
    first: datetime | None = None
    last: datetime | None = None
    rows: Sequence[WouldRefuse] = ()

    @property
    def title(self) -> str:
        """`quotas daily of route orders`."""
        where = f"route {self.route}" if self.route else "the gateway"
        return f"{self.policy} {self.quota}".rstrip() + f" of {where}"

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route,
            "policy": self.policy,
            "quota": self.quota or None,
            "log": self.is_log,
            "requests": self.total,
            "callers": self.callers,
            "first_at": _moment(self.first),
            "last_at": _moment(self.last),
            "most": [
                {
                    "caller": row.caller,
                    "requests": row.count,
                    "last_at": _moment(row.last_at),
                    "code": row.code,
                    "message": row.message,
                    "request_id": row.request_id,
                }
                for row in self.rows
            ],
        }


def groups(route: str = "") -> list[Group]:
    """Those hit most often first, and behind them those that hit nobody within 30 days; at most MOST_GROUPS.

    Without their callers: see `with_callers`.
    """
    logged = dict.fromkeys(logged_now(route))
    rows = WouldRefuse.objects.filter(route=route) if route else WouldRefuse.objects.all()
    sums = {"total": Sum("count"), "callers": Count("pk"), "first": Min("first_at"), "last": Max("last_at")}
    found = []
    for each in rows.order_by().values(*KEYS).annotate(**sums).order_by("-total", *KEYS)[:MOST_GROUPS]:
        named = (each["route"], each["policy"], each["quota"])
        found.append(Group(**each, is_log=named in logged))
        logged.pop(named, None)
    return found + [Group(*named, is_log=True) for named in list(logged)[: MOST_GROUPS - len(found)]]


def with_callers(some: Sequence[Group]) -> list[Group]:
    """The same with the callers hit most often, in one query for all of them."""
    hit = {each.route for each in some if each.total}
    place = Window(RowNumber(), partition_by=[F(key) for key in KEYS], order_by=("-count", "caller"))
    ranked = WouldRefuse.objects.filter(route__in=hit).annotate(place=place).filter(place__lte=MOST_CALLERS)
    found = defaultdict(list)
    for row in ranked.order_by("-count", "caller") if hit else ():
        found[row.route, row.policy, row.quota].append(row)
    return [replace(each, rows=found.get((each.route, each.policy, each.quota), ())) for each in some]


def states(some: Sequence[Named]) -> list[tuple[Any, ...]]:
    """Of each policy, what changes when somebody edits where it may stand: the versions of those rows. At most three
    queries for all of them."""
    routes = _versions(Route, {route for route, _, _ in some})
    quotas = _versions(Quota, {quota for _, _, quota in some if quota})
    defaults = RouteDefaults.objects.values_list("version", flat=True).first()
    return [(*named, routes.get(named[0]), quotas.get(named[2]), defaults) for named in some]


def only_quota(route: str, quota: str) -> str:
    """The quota that is meant where none is named: the only one of the route's in mode log."""
    logged = {name for _, policy, name in logged_now(route) if policy == "quotas"}
    return quota or (logged.pop() if len(logged) == 1 else "")


def _versions(model: type[Route | Quota], names: set[str]) -> dict[str, int]:
    return dict(model._default_manager.filter(name__in=names).values_list("name", "version")) if names else {}


def places_of(route: str, policy: str, quota: str = "") -> list[str]:
    """What enforcing it would change. Raises NothingToEnforce and NoSuchRoute."""
    return _enforced(_concerning(route), route, policy, quota)[1]


def _concerning(route: str) -> Document:
    """What says whether a policy of this route is in mode log, of ten thousand; without the route, the names of all."""
    entries = read_entries("routes", Route.objects.filter(name=route))
    return canonicalise(
        {
            "version": 1,
            "defaults": RouteDefaults.objects.values_list("values", flat=True).first(),
            "quotas": read_entries("quotas", Quota.objects.filter(mode="log")),
            "routes": entries or list(Route.objects.values("name")),
        }
    )


def enforce(
    route: str,
    policy: str,
    quota: str = "",
    *,
    actor: Actor,
    message: str = "",
    source: str = "api",
    dry_run: bool = False,
) -> tuple[Outcome, list[str]]:
    """Takes `mode: log` out of it, and publishes that; under review it becomes a draft. Also says what is changed.

    Raises NothingToEnforce, NoSuchRoute, and what publishing raises.
    """
    places = places_of(route, policy, quota)

    def edit(current: Document) -> Merge:
        places[:] = (found := _enforced(current, route, policy, quota))[1]
        return merge(current, found[0], prune=False)

    said = message or f"Enforce {f'{policy} {quota}'.rstrip()} of {', '.join(places)}"
    return apply_edit(edit, actor=actor, message=said, source=source, dry_run=dry_run), places


def _enforced(document: Document, route: str, policy: str, quota: str) -> tuple[dict[str, Any], list[str]]:
    names = [each["name"] for each in document.get("routes", ())]
    if route not in names:
        raise NoSuchRoute(f"there is no route {quote(route)}{did_you_mean(route, names)}")
    used = [each[2] for each in in_mode_log(document) if each[:2] == (route, policy)]
    if policy == "quotas" and not quota and used:
        quota = used[0] if len(used) == 1 else ""
        if not quota:
            raise NothingToEnforce(
                f"several quotas of route {route} are in mode log: say which of {', '.join(used)}"
            )
    return enforced(document, route, policy, quota)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
