"""D: Filters of the lists of access, by how things stand rather than by columns."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, RadioFilter, RangeDateTimeFilter, TextFilter
from unfold.utils import parse_datetime_str

from authproxy.admin.states import State
from authproxy.liveroles import live_roles
from authproxy.security import KINDS

Lookups = list[tuple[str, str]]
NO_PLAN = "-"


class EnabledFilter(RadioFilter):
    """Consumers that may pass, or may not."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [("enabled", "Enabled"), ("disabled", "Disabled")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        return queryset.filter(enabled=wanted == "enabled") if wanted in ("enabled", "disabled") else queryset


class PlanFilter(DropdownFilter):
    """Consumers on a plan of the live configuration, or on none."""

    title = "plan"
    parameter_name = "plan"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(name, name) for name in sorted(live_roles().plans)] + [(NO_PLAN, "none")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        return queryset.filter(plan="" if wanted == NO_PLAN else wanted) if wanted else queryset


class RoleFilter(DropdownFilter):
    """Consumers to whom a role was given, themselves or as accounts."""

    title = "role"
    parameter_name = "role"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(name, name) for name in Group.objects.order_by("name").values_list("name", flat=True)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (wanted := self.value()):
            return queryset
        group = Group.objects.filter(name=wanted)
        return queryset.filter(Q(pk__in=group.values("consumers")) | Q(user__in=group.values("user")))


class KeyStateFilter(DropdownFilter):
    """Keys that work, that have expired, that were revoked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(state, state.capitalize()) for state in (State.LIVE, State.EXPIRED, State.REVOKED)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case State.LIVE:
                return queryset.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
            case State.EXPIRED:
                return queryset.filter(revoked_at=None, expires_at__lte=now)
            case State.REVOKED:
                return queryset.exclude(revoked_at=None)
        return queryset


class SessionStateFilter(DropdownFilter):
    """Sessions that are open, that were ended, that have expired."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(state, state.capitalize()) for state in (State.LIVE, State.EXPIRED, State.ENDED)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        match self.value():
            case State.LIVE:
                return queryset.filter(ended_at=None, expires_at__gt=now)
            case State.EXPIRED:
                return queryset.filter(ended_at=None, expires_at__lte=now)
            case State.ENDED:
                return queryset.exclude(ended_at=None)
        return queryset


class EventKindFilter(DropdownFilter):
    """Events of a kind."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Lookups:
        return [(kind, kind.replace("_", " ")) for kind in KINDS]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ConsumerNameFilter(TextFilter):
    """Keys of the consumer of this name."""

    title = "consumer"
    parameter_name = "consumer"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(consumer__name__iexact=self.value()) if self.value() else queryset


class UsernameFilter(TextFilter):
    """Sessions of the account of this name."""

    title = "account"
    parameter_name = "account"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(user__username__iexact=self.value()) if self.value() else queryset


class MomentFilter(RangeDateTimeFilter):
    """From one moment to another, in UTC; a day alone means all of it."""

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.parameter_name
        for end, lookup, rest in (("from", "gte", "00:00"), ("to", "lte", "23:59:59.999999")):
            day, time = (self.used_parameters.get(f"{name}_{end}_{part}") for part in (0, 1))
            moment = parse_datetime_str(f"{day} {time or rest}") if day else None
            if moment is not None:
                queryset = self.narrowed(queryset, lookup, timezone.make_aware(moment, UTC))
        return queryset

    def narrowed(self, queryset: QuerySet[Any], lookup: str, moment: datetime) -> QuerySet[Any]:
        """Those from a moment on (gte), or until it (lte)."""
        return queryset.filter(**{f"{self.parameter_name}__{lookup}": moment})
