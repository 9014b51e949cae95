"""D: The audit trail in admin: who changed what, from where, why, and how it was before. Nobody can change a row."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display

from authproxy.admin.columns import link
from authproxy.admin.filters import MomentFilter
from observability.audit.finding import COLUMNS, Wanted, find, first_from, searched, stopped_at
from observability.models import AuditEvent
from routing.admin.rendering import difference
from routing.admin.revisions import ReadOnlyAdmin
from routing.diff import ABSENT, Changes, EntryChange, FieldChange

MOST_COUNTED: Final = 5_000
"""Pages go no further back: a filter by time does."""
MOST_FOUND: Final = 1000
"""Of those that have some words."""
SHOWN_OBJECTS: Final = 100
LONGEST_NUMBER: Final = 18
_STOPPED: Final = "trail_stopped_at"
"""The attribute of a request whose search for words did not look at all events."""
_LAST: Final = datetime.max.replace(tzinfo=UTC)
DOORS: Final = ("admin", "api", "cli", "discovery", "sign-in", "account", "system")


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no more rows than somebody would turn pages for: counting a million takes too long."""

    @cached_property
    def count(self) -> int:
        """The number of rows, or MOST_COUNTED if there are more."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:MOST_COUNTED].count())


class ActorFilter(TextFilter):
    """What somebody did."""

    title = "who"
    parameter_name = "actor"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(actor=self.value()) if self.value() else queryset


class ObjectFilter(TextFilter):
    """What happened to something: `routes orders`, or only `orders`."""

    title = "object (routes NAME, services NAME, consumer NAME, or NAME)"
    parameter_name = "object"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = about(self.value() or "")
        return queryset.filter(pk__in=find(found).order_by().values("pk")) if found else queryset


class ActionFilter(TextFilter):
    """One kind of change."""

    title = "action (breaker.force)"
    parameter_name = "action"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() else queryset


class DoorFilter(DropdownFilter):
    """By which door."""

    title = "door"
    parameter_name = "door"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(door, door) for door in DOORS]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(door=self.value()) if self.value() else queryset


class BeforeFilter(TextFilter):
    """Older events than one: where a search stopped looking, it goes on."""

    title = "older than event number"
    parameter_name = "before"

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (text := (self.value() or "").strip()):
            return queryset
        is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
        return queryset.filter(pk__lt=int(text)) if is_number else queryset.none()


class EventMomentFilter(MomentFilter):
    """By numbers, whose order is that of times: what is newest of the rest is found at once then."""

    def narrowed(self, queryset: QuerySet[Any], lookup: str, moment: datetime) -> QuerySet[Any]:
        if lookup == "gte":
            return queryset.filter(pk__gte=first_from(moment))
        if moment >= _LAST:  # nothing is later
            return queryset
        return queryset.filter(pk__lt=first_from(moment + timedelta(microseconds=1)))


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Every change, newest first."""

    list_display = ("at", "action", "summary", "shown_actor", "shown_from", "reason")
    list_display_links = ("at",)
    list_filter = (
        ActorFilter,
        ObjectFilter,
        ActionFilter,
        DoorFilter,
        ("at", EventMomentFilter),
        BeforeFilter,
    )
    list_filter_submit = True
    search_fields = ("words",)
    search_help_text = "Words of what was done, to what, by whom and why, among the newest 100,000"
    sortable_by = ()
    ordering = ("-id",)
    paginator = BoundedPaginator
    show_full_result_count = False
    fields = (
        "id",
        "at",
        "action",
        "summary",
        "shown_actor",
        "shown_from",
        "reason",
        "shown_objects",
        "shown_details",
        "previous",
        "hash",
    )
    list_after_template = "observability/admin/further.html"
    change_form_after_template = "routing/admin/revision_difference.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        queryset: QuerySet[AuditEvent] = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and match.url_name == "observability_auditevent_changelist"
        return queryset.only(*COLUMNS) if is_list else queryset

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        if not search_term:
            return queryset, False
        if "\0" in search_term:
            return queryset.none(), False
        # Looked for once: the count, the page and its rows are of these keys.
        found = list(
            searched(queryset, search_term).order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND]
        )
        setattr(request, _STOPPED, found[-1] if len(found) == MOST_FOUND else stopped_at(queryset))
        return queryset.filter(pk__in=found), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response: Any = super().changelist_view(request, extra_context)
        if (changes := getattr(response, "context_data", None) or {}).get("cl") is not None:
            changes["further"] = _further(request, changes["cl"])
        return response  # type: ignore[no-any-return]

    @display(description="who", ordering="actor")
    def shown_actor(self, event: AuditEvent) -> SafeString | str:
        if event.user_id is not None:
            return link("auth_user_change", event.actor, event.user_id)
        return event.actor if event.actor_kind in ("system", "") else f"{event.actor} ({event.actor_kind})"

    @display(description="from")
    def shown_from(self, event: AuditEvent) -> str:
        return f"{event.door} {event.address}".strip()

    @display(description="about")
    def shown_objects(self, event: AuditEvent) -> SafeString | str:
        objects = _content(event)["objects"]
        shown = format_html_join(
            ", ",
            "{}",
            (
                (
                    link(
                        "observability_auditevent_changelist",
                        f"{kind} {name}".strip(),
                        object=f"{kind} {name}",
                    ),
                )
                for kind, name in objects[:SHOWN_OBJECTS]
            ),
        )
        more = len(objects) - SHOWN_OBJECTS
        return format_html("{}{}", shown, f" and {more} more" if more > 0 else "") if objects else "–"

    @display(description="details")
    def shown_details(self, event: AuditEvent) -> str:
        details = _content(event)["details"]
        return "; ".join(f"{name}: {value}" for name, value in sorted(details.items())) or "–"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if (event := kwargs.get("obj")) is not None:
            context["difference"] = difference(changes_of(event))
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]


def _further(request: HttpRequest, changes: Any) -> dict[str, Any] | None:
    """Where the list ends though there are older events, and the link to them; None where it ends with the oldest."""
    stopped = getattr(request, _STOPPED, None)
    if stopped is None and not changes.query and changes.result_count == MOST_COUNTED:
        last = changes.queryset.order_by("-pk").values_list("pk", flat=True)
        there = list(last[MOST_COUNTED - 1 : MOST_COUNTED + 1])
        stopped = there[0] if len(there) == 2 else None
    if stopped is None:
        return None
    link_to = changes.get_query_string({BeforeFilter.parameter_name: stopped}, remove=[PAGE_VAR])
    return {"before": stopped, "link": link_to}


def changes_of(event: AuditEvent) -> Changes:
    """Before and after, as pages show differences."""
    return Changes(
        tuple(
            EntryChange(
                each["kind"],
                each["name"],
                each["action"],
                tuple(
                    FieldChange(field["path"], field.get("before", ABSENT), field.get("after", ABSENT))
                    for field in each["fields"]
                ),
            )
            for each in _content(event)["changes"]
        )
    )


def _content(event: Any) -> dict[str, Any]:
    """Read once: megabytes where ten thousand routes were changed, and admin asks for a field five times."""
    if not hasattr(event, "read_content"):
        event.read_content = orjson.loads(event.content)
    found: dict[str, Any] = event.read_content
    return found


def about(text: str) -> Wanted | None:
    """`routes orders` and `orders`, as people write what they look for."""
    kind, _, name = text.strip().rpartition(" ")
    return Wanted(kind=kind.strip(), name=name) if name else None
