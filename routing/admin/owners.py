"""D: The page of owners, and the inlines that the owner of their row may edit with it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from routing import owning
from routing.admin.audited import AuditedAdmin
from routing.admin.choosing import Choosing
from routing.models import Owner


class OwnedInline(TabularInline):
    """Parts of a service: whoever owns it may add, change and delete them."""

    hide_title = True  # it would say once more what the first column says

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django asks without a row before it shows those of one."""
        may = bool(super().has_view_permission(request, obj))
        return may or owning.owns(request.user, self.parent_model, getattr(obj, "pk", None))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) or self._owns(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) or self._owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) or self._owns(request, obj)

    def _owns(self, request: HttpRequest, obj: Any) -> bool:
        return obj is not None and owning.owns(request.user, self.parent_model, obj.pk)


@admin.register(Owner)
class OwnerAdmin(Choosing, AuditedAdmin, ModelAdmin):
    """Who may edit what, without being an editor of everything."""

    list_display = ("__str__", "user", "group", "service", "route")
    list_select_related = ("user", "group", "service", "route")
    list_filter = (("service", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("user__username", "group__name", "service__name", "route__name")
    autocomplete_fields = ("user", "group", "service", "route")
    list_per_page = 50
