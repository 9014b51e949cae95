"""D: Duplicating a row: the add form opens with everything filled in, and nothing is saved before one says so."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from routing.admin.entries import COPY_OF, EntryAdmin


class CopyingAdmin(EntryAdmin):
    """Rows that can be duplicated, from their page and from the list."""

    actions_row: ClassVar[list[Any]] = ["duplicate"]
    actions_detail: ClassVar[list[Any]] = ["duplicate"]

    def has_duplicate_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        """Whoever may add may start from what is there."""
        return bool(self.has_add_permission(request))

    @action(description="Duplicate", icon="content_copy", permissions=["duplicate"], url_path="duplicate")
    def duplicate(self, _request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """Opens the add form with the values of this row."""
        add = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
        return HttpResponseRedirect(f"{add}?{COPY_OF}={object_id}")
