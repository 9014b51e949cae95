"""D: The pages of roles, plans, identity providers and topic rules."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from routing.admin import snapshots
from routing.admin.entries import EntryAdmin
from routing.admin.forms.leaves import Path, label
from routing.admin.forms.places import steps
from routing.admin.forms.policies import PlanForm, ProviderForm, RoleForm, TopicForm
from routing.admin.sections import PLAN_SECTIONS, PROVIDER_SECTIONS, ROLE_SECTIONS, TOPIC_SECTIONS, Section
from routing.cleaning import policy_report, written
from routing.models import IdentityProvider, Plan, RoleScopes, TopicRule


class PolicyAdmin(EntryAdmin):
    """An entry whose warnings are its own."""

    search_fields: ClassVar[tuple[str, ...]] = ("name", "notes")
    ordering = ("name",)

    def warnings_about(self, row: Any) -> list[SafeString]:
        warnings = policy_report(self.kind(), written(row))[1]
        return [format_html("{}: {}.", label(_keys(warning.path)), warning.message) for warning in warnings]


@admin.register(RoleScopes)
class RoleAdmin(PolicyAdmin):
    """What a group of accounts may do."""

    form = RoleForm
    sections: ClassVar[tuple[Section, ...]] = ROLE_SECTIONS
    list_display = ("name", "shown_scopes", "shown_accounts", "updated_at")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "scopes", "notes")

    def warnings_about(self, row: Any) -> list[SafeString]:
        found = super().warnings_about(row)
        if Group.objects.filter(name=row.name, permissions__isnull=False).exists():
            text = "The group of this name has rights in admin: accounts of staff that have the role have them, too."
            found.append(format_html("{}", text))
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoleScopes]:
        members = User.objects.filter(groups__name=OuterRef("name")).order_by().values("groups__name")
        counted = members.annotate(number=Count("pk")).values("number")
        queryset: QuerySet[RoleScopes] = super().get_queryset(request)
        return queryset.annotate(account_count=Coalesce(Subquery(counted), 0))

    @display(description="scopes", ordering="scopes")
    def shown_scopes(self, role: RoleScopes) -> SafeString:
        return format_html_join(" ", "<code>{}</code>", ((scope,) for scope in role.scopes or ()))

    @display(description="accounts", ordering="account_count")
    def shown_accounts(self, role: Any) -> str:
        return "everybody who registered" if role.default else str(role.account_count)


@admin.register(Plan)
class PlanAdmin(PolicyAdmin):
    """What consumers may be put on."""

    form = PlanForm
    sections: ClassVar[tuple[Section, ...]] = PLAN_SECTIONS
    list_display = ("name", "notes", "updated_at")


@admin.register(IdentityProvider)
class IdentityProviderAdmin(PolicyAdmin):
    """Whose tokens are believed, beside the gateway's own."""

    form = ProviderForm
    sections: ClassVar[tuple[Section, ...]] = PROVIDER_SECTIONS
    list_display = ("name", "issuer", "shown_keys", "shown_algorithms", "cookie")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "issuer", "notes")
    list_before_template = "routing/admin/providers_before.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from_environment = {"from_environment": snapshots.options().providers}
        return super().changelist_view(request, {**(extra_context or {}), **from_environment})

    @display(description="keys")
    def shown_keys(self, provider: IdentityProvider) -> str:
        return provider.jwks_url or provider.discovery_url or "shared secret"

    @display(description="algorithms")
    def shown_algorithms(self, provider: IdentityProvider) -> str:
        return " ".join(provider.algorithms or ["RS256"])


@admin.register(TopicRule)
class TopicRuleAdmin(PolicyAdmin):
    """Who may read and write topics of events."""

    form = TopicForm
    sections: ClassVar[tuple[Section, ...]] = TOPIC_SECTIONS
    list_display = ("name", "shown_topics", "shown_readers", "shown_writers", "updated_at")
    search_fields: ClassVar[tuple[str, ...]] = ("name", "topics", "notes")

    @display(description="topics", ordering="topics")
    def shown_topics(self, rule: TopicRule) -> SafeString:
        return format_html_join(" ", "<code>{}</code>", ((pattern,) for pattern in rule.topics or ()))

    @display(description="who may read")
    def shown_readers(self, rule: TopicRule) -> str:
        return _right(rule.subscribe, "user")

    @display(description="who may write")
    def shown_writers(self, rule: TopicRule) -> str:
        return _right(rule.publish, "service")


def _right(written: dict[str, Any] | None, level: str) -> str:
    """`user; role a or b; scopes c d`."""
    right = written or {}
    roles, scopes = right.get("roles") or (), right.get("scopes") or ()
    parts = [
        str(right.get("level") or level),
        f"role {' or '.join(map(str, roles))}" if roles else "",
        f"scopes {' '.join(map(str, scopes))}" if scopes else "",
    ]
    return "; ".join(filter(None, parts))


def _keys(path: str) -> Path:
    return tuple(step for step in steps(path) if isinstance(step, str))
