"""D: `users/me/usage`: what the caller asked of late, and what is left of the quotas that hold for it."""

import time
from collections.abc import Iterable
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import upstreamdocs
from authproxy.authorise import judge
from authproxy.identity import Identity
from authproxy.serializers import Shape
from authproxy.views.base import Endpoint, address_of, required_identity
from authproxy.views.documented import documented
from observability.rollups.owned import MOST_ROUTES, used
from observability.rollups.tiers import RANGES
from resilience.policies import QuotaPolicy
from routing import quotasleft
from routing.knowledge import Counted, Left
from routing.snapshot import CompiledRoute, Forward, Snapshot

MOST_QUOTAS: Final = 50
ROUTES_NAMED: Final = 5
_PERIODS: Final = {1: "1s", 60: "1m", 3600: "1h", 86400: "1d"}


class UsageAsked(Shape):
    """What the query may have."""

    range = serializers.ChoiceField(choices=list(RANGES), required=False, default="24h")


class RouteUsage(Shape):
    route = serializers.CharField(allow_blank=True)
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    refused = serializers.IntegerField()


class UsageShape(Shape):
    requests = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    refused = serializers.IntegerField()
    routes = RouteUsage(many=True)


class QuotaShape(Shape):
    """`remaining` is null where it is not known; `unknown` says why."""

    quota = serializers.CharField()
    limit = serializers.IntegerField()
    per = serializers.CharField()
    routes = serializers.ListField(child=serializers.CharField())
    more_routes = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True)
    reset_s = serializers.FloatField(allow_null=True)
    unknown = serializers.CharField(allow_blank=True)


class OwnUsage(Shape):
    consumer = serializers.CharField()
    range = serializers.CharField()
    usage = UsageShape()
    quotas = QuotaShape(many=True)


class UsageView(Endpoint):
    """GET tells what the caller asked, and may still ask."""

    @documented(
        "Own usage and quotas", tag="Account", asks=UsageAsked, answers={200: OwnUsage}, errors=(400, 401)
    )
    def get(self, request: Request) -> Response:
        """Requests of its consumer by route; quotas of the routes that it may call. Nothing is counted."""
        identity = required_identity(request)
        asked = UsageAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        name = asked.validated_data["range"]
        return Response({
            "consumer": identity.consumer,
            "range": name,
            "usage": _usage(identity.consumer, *RANGES[name].until(time.time())),
            "quotas": _quotas(identity, address_of(request)),
        })  # fmt: skip


def _usage(consumer: str, start: int, end: int) -> dict[str, Any]:
    rows = used(consumer, start, end)
    return {
        "requests": sum(row.requests for row in rows),
        "errors": sum(row.errors for row in rows),
        "refused": sum(row.refused for row in rows),
        "routes": [row._asdict() for row in rows[:MOST_ROUTES]],
    }


def _quotas(identity: Identity, address: str) -> list[dict[str, Any]]:
    documents = upstreamdocs.bound()
    snapshot = None if documents is None else documents.snapshot()
    if snapshot is None:
        return []
    groups = list(_groups(identity, snapshot).values())[:MOST_QUOTAS]
    caller = identity.as_json(snapshot.roles)
    return [_told(policy, routes, caller, address) for policy, routes in groups]


Groups = dict[tuple[object, ...], tuple[QuotaPolicy, list[CompiledRoute]]]


def _groups(identity: Identity, snapshot: Snapshot) -> Groups:
    """Quotas that count together for this caller, with the routes that use them."""
    groups: Groups = {}
    for route in snapshot.routes.values():
        if route.auth.is_enforced and judge(route.auth, identity, snapshot.roles) is not None:
            continue
        for policy in _under_plan(route.quotas, identity, snapshot):
            key = (policy, *_apart(policy, route))
            groups.setdefault(key, (policy, []))[1].append(route)
    return groups


def _under_plan(quotas: Iterable[QuotaPolicy], identity: Identity, snapshot: Snapshot) -> list[QuotaPolicy]:
    replaced = snapshot.plans.get(identity.plan, {})
    return [replaced.get(quota.name, quota) for quota in quotas]


def _apart(policy: QuotaPolicy, route: CompiledRoute) -> tuple[str, ...]:
    service = route.destination.service if isinstance(route.destination, Forward) else ""
    return (route.name if "route" in policy.keys else "", service if "service" in policy.keys else "")


def _told(
    policy: QuotaPolicy, routes: list[CompiledRoute], caller: dict[str, Any], address: str
) -> dict[str, Any]:
    found = quotasleft.left([policy], Counted(routes[0], caller, (), address))[0]
    is_known = isinstance(found, Left)
    return {
        "quota": policy.name,
        "limit": policy.limit,
        "per": policy.calendar or _PERIODS.get(int(policy.per_s), f"{policy.per_s:g}s"),
        "routes": [route.name for route in routes[:ROUTES_NAMED]],
        "more_routes": max(0, len(routes) - ROUTES_NAMED),
        "remaining": found.remaining if isinstance(found, Left) else None,
        "reset_s": found.reset_s if isinstance(found, Left) else None,
        "unknown": "" if is_known else str(found or "nobody counts here"),
    }
