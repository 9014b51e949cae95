"""D: The pages of consumers: what each may do, its keys, and letting it in or shutting it out."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from authproxy import consumers, revocation
from authproxy.admin.asking import asked, by, counted, noted, one
from authproxy.admin.columns import link, to_account
from authproxy.admin.deleting import summed
from authproxy.admin.filters import EnabledFilter, PlanFilter, RoleFilter
from authproxy.admin.forms import ConsumerForm, PlanDialog
from authproxy.admin.inlines import KeyInline
from authproxy.admin.keys import find_by_prefix
from authproxy.admin.states import State
from authproxy.admin.switching import SWITCHES, SWITCHES_SELECTED, SwitchingAdmin
from authproxy.granting import standing_of_consumer
from authproxy.models import ApiKey, Consumer
from routing.admin.audited import AuditedAdmin
from routing.admin.choosing import Choosing
from routing.auditing import gathering


@admin.register(Consumer)
class ConsumerAdmin(Choosing, AuditedAdmin, SwitchingAdmin):
    """Who calls the API."""

    form = ConsumerForm
    inlines: ClassVar[list[Any]] = [KeyInline]
    list_display = ("name", "shown_kind", "plan", "shown_roles", "shown_keys", "enabled", "created_at")
    list_filter = (EnabledFilter, ("kind", ChoicesDropdownFilter), PlanFilter, RoleFilter)
    list_filter_submit = True
    list_per_page = 50
    search_fields = ("name", "user__email", "notes")
    search_help_text = "A name, an e-mail address, notes, or the beginning of a key"
    ordering = ("name",)
    autocomplete_fields = ("roles",)
    warn_unsaved_form = True
    actions = (*SWITCHES_SELECTED, "assign_plan_selected")
    actions_row: ClassVar[list[Any]] = ["new_key", *SWITCHES]
    actions_detail: ClassVar[list[Any]] = ["new_key", *SWITCHES]

    # What pages show

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consumer]:
        queryset: QuerySet[Consumer] = super().get_queryset(request).select_related("user")
        match = request.resolver_match
        if match is None or match.url_name != "authproxy_consumer_changelist":
            return queryset
        # A subquery, so that only the rows of one page are counted.
        keys = ApiKey.objects.filter(consumer=OuterRef("pk"), revoked_at=None).order_by().values("consumer")
        number = Subquery(keys.annotate(number=Count("pk")).values("number"))
        return queryset.prefetch_related("roles").annotate(key_count=Coalesce(number, 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Consumer], search_term: str
    ) -> tuple[QuerySet[Consumer], bool]:
        if (keys := find_by_prefix(search_term)) is not None:
            return queryset.filter(pk__in=keys.values("consumer")), False
        found: tuple[QuerySet[Consumer], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        about = ["name", "kind"] if obj is None else ["name", "kind", "shown_account", "enabled"]
        rights = ["plan", "roles", "scopes"] if obj is None else ["plan", "roles", "scopes", "shown_scopes"]
        return [
            (None, {"fields": about}),
            ("What it may do", {"fields": rights}),
            ("Notes", {"fields": ["notes"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("shown_account", "enabled", "shown_scopes")
        return (*shown, "name", "kind") if obj is not None and obj.user_id is not None else shown

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.inlines if obj is not None else []

    @display(description="kind", label={"user": "info", "service": "success"}, ordering="kind")
    def shown_kind(self, consumer: Consumer) -> str:
        return consumer.kind

    @display(description="roles")
    def shown_roles(self, consumer: Consumer) -> str:
        return ", ".join(sorted(group.name for group in consumer.roles.all())) or "–"

    @display(description="live keys")
    def shown_keys(self, consumer: Any) -> SafeString:
        return link(
            "authproxy_apikey_changelist", consumer.key_count, consumer=consumer.name, state=State.LIVE
        )

    @display(description="account")
    def shown_account(self, consumer: Consumer) -> SafeString | str:
        return to_account(consumer.user) if consumer.user is not None else "none"

    @display(description="all its scopes")
    def shown_scopes(self, consumer: Consumer) -> str:
        standing = standing_of_consumer(consumer)
        return " ".join(sorted(standing.scopes)) if standing is not None and standing.scopes else "none"

    # Saving and deleting

    def save_model(self, request: HttpRequest, obj: Consumer, form: Form, change: bool) -> None:
        revocation.hold_order()  # before any row is locked
        super().save_model(request, obj, form, change)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Consumer]) -> None:
        revocation.hold_order()
        super().delete_queryset(request, queryset)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        keys = ApiKey.objects.filter(consumer__in=objs)
        return summed(self, objs, request, also={"API keys": keys.count()})

    # Actions

    def is_enabled(self, object_id: Any) -> bool:
        return one(Consumer.objects.filter(enabled=True), object_id).exists()

    def switched(self, request: HttpRequest, queryset: QuerySet[Consumer], *, is_on: bool) -> list[Consumer]:
        changed = list(queryset.exclude(enabled=is_on).order_by())
        consumers.set_enabled(plain(queryset), is_on, by=by(request))
        return changed

    def has_new_key_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whoever may make keys."""
        return bool(request.user.has_perm("authproxy.add_apikey"))

    @action(description="New key", icon="key", permissions=["new_key"], url_path="new-key")
    def new_key(self, _request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """Opens the page of a new key, with the consumer filled in."""
        return HttpResponseRedirect(f"{reverse('admin:authproxy_apikey_add')}?consumer={object_id}")

    @admin.action(description="Assign a plan to selected", permissions=["change"])
    def assign_plan_selected(self, request: HttpRequest, queryset: QuerySet[Consumer]) -> HttpResponse | None:
        """Asks which, then puts them on it."""
        answer = asked(
            self, request, queryset, verb="Assign", title="Assign a plan to {}?", form_class=PlanDialog
        )
        if not isinstance(answer, BaseDialogForm):
            return answer
        plan = answer.cleaned_data["plan"]
        changed = list(queryset.exclude(plan=plan).order_by())
        with gathering(reason=answer.cleaned_data.get("reason", "")):
            consumers.assign_plan(plain(queryset), plan)
        what = f'Put on plan "{plan}"' if plan else "Taken off its plan"
        self.note(request, changed, noted(what, answer))
        self.message_user(request, f"{what}: {counted(self, len(changed))}.")
        return None


def plain(queryset: QuerySet[Consumer]) -> QuerySet[Consumer]:
    """The same consumers, without what a list counts beside them."""
    return Consumer.objects.filter(pk__in=queryset.order_by().values("pk"))
