"""D: The pages of API keys: a new one shows its secret once, and any can be revoked. None can be changed."""

import re
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.forms import BaseDialogForm

from authproxy import apikeys, tickets
from authproxy.admin.asking import asked, by, counted, go_back, in_dialog, noted, one
from authproxy.admin.columns import KeyColumns, to_consumer
from authproxy.admin.filters import ConsumerNameFilter, KeyStateFilter
from authproxy.admin.forms import SECRET, NewKeyForm
from authproxy.admin.rights import may
from authproxy.models import ApiKey
from routing.admin.audited import TrailHistory
from routing.admin.choosing import Choosing
from routing.admin.dialogs import ReasonDialog
from routing.admin.revisions import ReadOnlyAdmin
from routing.auditing import gathering

REVOKING: Final = "It is refused everywhere within a second, for good."
SECRET_TEMPLATE: Final = "authproxy/admin/new_key.html"  # noqa: S105 - a template's name
_KEY: Final = re.compile(rf"{tickets.API_KEY}_([0-9A-Za-z]{{1,12}})(_.*)?").fullmatch


@admin.register(ApiKey)
class ApiKeyAdmin(Choosing, TrailHistory, KeyColumns, ReadOnlyAdmin):
    """Secrets that stand for consumers."""

    form = NewKeyForm
    autocomplete_fields = ("consumer",)
    list_display = (
        "name",
        "shown_consumer",
        "shown_prefix",
        "shown_state",
        "shown_scopes",
        "shown_expiry",
        "last_used_at",
        "created_at",
    )
    list_select_related = ("consumer",)
    list_filter = (KeyStateFilter, ConsumerNameFilter)
    list_filter_submit = True
    search_fields = ("name", "consumer__name")
    search_help_text = "A name, a consumer, or the beginning of a key"
    sortable_by = ()
    ordering = ("-pk",)
    actions = ("revoke_selected",)
    actions_row: ClassVar[list[Any]] = ["revoke"]
    actions_detail: ClassVar[list[Any]] = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(self, request, "add")

    def has_revoke_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Revoking is the one change that there is."""
        return may(self, request, "change")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ApiKey], search_term: str
    ) -> tuple[QuerySet[ApiKey], bool]:
        if (keys := find_by_prefix(search_term)) is not None:
            return queryset.filter(pk__in=keys.values("pk")), False
        found: tuple[QuerySet[ApiKey], bool] = super().get_search_results(request, queryset, search_term)
        return found

    @display(description="consumer")
    def shown_consumer(self, key: ApiKey) -> SafeString:
        return to_consumer(key.consumer)

    # A new key

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.request = request
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["consumer", "name", "scopes", "expires_at"]
        times = ["created_at", "shown_expiry", "last_used_at", "revoked_at"]
        return ["shown_name", "shown_consumer", "shown_prefix", "shown_state", "shown_scopes", *times]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj) if obj is not None else []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """One button: the next page shows the secret, and nothing else may come instead of it."""
        one = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, {**context, **one}, **kwargs)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """The form has made it."""

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Shows the secret in answer to the very request that made it; no page of admin is kept by any cache."""
        context = {
            **self.admin_site.each_context(request),
            "title": "New API key",
            "opts": self.opts,
            "key": obj,
            "secret": getattr(obj, SECRET),
        }
        return TemplateResponse(request, SECRET_TEMPLATE, context)

    # Revoking

    @in_dialog("Revoke", icon="key_off", permission="revoke", title="Revoke this key?", about=REVOKING)
    def revoke(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Ends one key."""
        self.revoke_all(request, one(self.get_queryset(request), object_id), form)
        return go_back(request, reverse("admin:authproxy_apikey_changelist"))

    @admin.action(description="Revoke selected keys", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Asks, then ends them."""
        answer = asked(self, request, queryset, verb="Revoke", about=REVOKING)
        if not isinstance(answer, BaseDialogForm):
            return answer
        self.revoke_all(request, queryset, answer)
        return None

    def revoke_all(self, request: HttpRequest, queryset: QuerySet[ApiKey], form: BaseDialogForm) -> None:
        """Ends keys, and says how many there were to end."""
        live = queryset.filter(revoked_at=None).select_related("consumer").order_by("pk")
        with gathering(reason=form.cleaned_data.get("reason", "")):
            revoked = [key for key in live if apikeys.revoke(key, by=by(request))]
            for key in revoked:
                self.log_change(request, key, noted("Revoked", form))
        self.message_user(
            request, f"Revoked {counted(self, len(revoked))}: refused everywhere within a second."
        )


def find_by_prefix(text: str) -> QuerySet[ApiKey] | None:
    """The keys that begin so, if this is the beginning of a key; of a whole one, only the public part is used."""
    match = _KEY(text.strip())
    if match is None:
        return None
    return ApiKey.objects.filter(prefix__startswith=f"{tickets.API_KEY}_{match[1]}")
