"""D: Duplicating a row: the add form opens with everything filled in, and nothing is saved before one says so."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from routing.admin.entries import EntryAdmin
from routing.admin.forms.texts import flatten
from routing.document.base import MARK

COPY_OF = "copy_of"


class CopyingAdmin(EntryAdmin):
    """Rows that can be duplicated, from their page and from the list."""

    copied_columns: ClassVar[tuple[str, ...]] = ("notes",)
    """What the leaves of the form do not hold."""
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

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        source = self.copied(request)
        if source is None:
            return super().get_changeform_initial_data(request)  # type: ignore[no-any-return]
        columns = {field.name: field.value_from_object(source) for field in self.opts.concrete_fields}
        texts = flatten(self.form.written(source), self.form.leaves)
        texts.pop(MARK, None)  # whoever made the row did not make its copy
        return {**texts, **{name: columns[name] for name in self.copied_columns}, "name": f"{source}-copy"}

    def copied(self, request: HttpRequest) -> Any:
        """The row that an add form starts from, if there is one and it may be seen."""
        key = request.GET.get(COPY_OF, "")
        found = self.get_queryset(request).filter(pk=key).first() if key.isdecimal() else None
        return found if found is not None and self.has_view_permission(request, found) else None
