"""D: The keys of a consumer, on its page; made and revoked on pages of their own."""

from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from authproxy.admin.columns import KeyColumns, link
from authproxy.models import ApiKey


class KeyInline(KeyColumns, TabularInline):
    """Twenty at a time, newest first."""

    model = ApiKey
    verbose_name_plural = "API keys"
    fields = ("shown_name", "shown_prefix", "shown_state", "shown_scopes", "shown_expiry", "last_used_at")
    readonly_fields = fields
    ordering = ("-pk",)
    per_page = 20
    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True

    @display(description="name")
    def shown_name(self, key: ApiKey) -> SafeString:
        return link("authproxy_apikey_change", key.name, key.pk)

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
