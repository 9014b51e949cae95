"""D: What the pages of all editable rows share: forms from the schema, publishing, refusals shown at the field."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from routing import owning
from routing.admin.audited import SEES_TRAIL, trail_of
from routing.admin.dialogs import go
from routing.admin.forms.entry import EntryForm
from routing.admin.forms.texts import flatten
from routing.admin.history import kind_of
from routing.admin.managing import ManagedFilter
from routing.admin.publishing import NotPublished, publish_edit, published, refused, tell_refusal
from routing.admin.sections import Section, grouped
from routing.document.base import MARK
from routing.locking import clear_errors, hold_lock
from routing.models import Service

REFUSAL = "_torana_refusal"
SAVED = "_torana_saved"
TOUCHES = "touches"  # of the list of revisions: kind and name
SHOWN_PROTECTED = 20
FACTS: Final[list[Callable[[object], list[SafeString]]]] = []
"""What higher layers know of a row, for its own page: each gives lines, of the rows that it knows."""


class EntryAdmin(ModelAdmin):
    """A page per row of the configuration; each save, deletion and action is one revision."""

    form: ClassVar[type[EntryForm]]
    sections: ClassVar[Sequence[Section]] = ()
    rows_section: ClassVar[str] = ""
    """The title of the section that the rows inside an entry belong to."""
    change_form_template = "routing/admin/entry_form.html"
    warn_unsaved_form = True
    list_filter_submit = True
    list_per_page = 50
    save_on_top = False

    def kind(self) -> str:
        """The document's key for these rows."""
        return kind_of(self.model())

    # Who may

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or self._owns(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) or self._owns(request, obj)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        queryset: models.QuerySet[Any] = super().get_queryset(request)
        return queryset if super().has_view_permission(request) else self._owned_of(request, queryset)

    def changeable(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows among these that may be changed."""
        return queryset if super().has_change_permission(request) else self._owned_of(request, queryset)

    def response_action(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        """Every action of a list changes rows: an owner's acts on its own, whatever else it sees."""
        return super().response_action(request, self.changeable(request, queryset))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """An owner leads its routes to its services, and where they lead already."""
        if db_field.related_model is Service and not request.user.has_perm("routing.change_service"):
            match = request.resolver_match
            key = match.kwargs.get("object_id") if match is not None else None
            kwargs["queryset"] = owning.may_lead_to(request.user, key)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _owns(self, request: HttpRequest, obj: Any) -> bool:
        """`obj` may be a row, or as unfold's actions hand it over, its key."""
        return owning.owns(request.user, self.model, getattr(obj, "pk", obj))

    def _owned_of(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(pk__in=owning.owned(request.user, self.model).values("pk"))

    def get_list_filter(self, request: HttpRequest) -> Sequence[Any]:
        return (*super().get_list_filter(request), *((ManagedFilter,) if self.has_marks(request) else ()))

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return (*super().get_list_display(request), *((MARK,) if self.has_marks(request) else ()))

    def has_marks(self, request: HttpRequest) -> bool:
        """Whether any of these rows belongs to somebody: else nobody is shown a column for it. Asked once."""
        known: dict[Any, bool] = request.__dict__.setdefault("torana_has_marks", {})
        if self.model not in known:
            known[self.model] = hasattr(self.model, MARK) and (
                self.model._default_manager.exclude(managed_by=None).exists()
            )
        return known[self.model]

    # Forms

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.refused = getattr(request, REFUSAL, ())
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[tuple[str | None, dict[str, Any]]]:
        texts = flatten(self.form.written(obj), self.form.leaves) if obj is not None else {}
        may_save = self._may_save(request, obj)
        fieldsets: list[tuple[str | None, dict[str, Any]]] = []
        for section, leaves in grouped(self.sections, self.form.leaves):
            names = [leaf.name for leaf in leaves if may_save or texts.get(leaf.name)]
            is_empty = not any(texts.get(name) for name in names)
            if fields := self.section_fields(section, names):
                options = {"fields": fields, "description": section.about if may_save else ""}
                fieldsets.append((section.title, options | _folded(is_empty and not section.is_open)))
        if "notes" in (self.form._meta.fields or ()):
            is_empty = obj is None or not obj.notes
            fieldsets.append(("Notes", {"fields": ["notes"], **_folded(is_empty)}))
        if may_save:
            fieldsets.append(("This change", {"fields": ["reason", "seen_version"]}))
        return fieldsets

    def section_fields(self, section: Section, names: list[str]) -> list[Any]:
        """The fields of a section, in order."""
        return names

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and not self.has_change_permission(request, obj):
            columns = {field.name for field in obj._meta.concrete_fields}
            for name, text in flatten(self.form.written(obj), self.form.leaves).items():
                if name not in columns:  # what a page without inputs shows
                    setattr(obj, name, text or "–")
        return obj

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None and request.method == "GET":
            context["torana_warnings"] = [*managed(obj), *self.warnings_about(obj)]
            context["torana_facts"] = [line for about in FACTS for line in about(obj)]
        if not self._may_save(request, obj):
            # Conditions are between inputs, and here are none.
            viewed = copy.copy(self)
            viewed.conditional_fields = {}
            context["adminform"].model_admin = viewed
        return super().render_change_form(request, context, **kwargs)  # type: ignore[no-any-return]

    # Saving

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A refused save is undone by now; the second round shows the form with the reasons and what was typed."""
        try:
            response = super().changeform_view(request, object_id, form_url, extra_context)
        except NotPublished as refusal:
            setattr(request, REFUSAL, refusal.problems)
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        if (saved := getattr(request, SAVED, None)) is not None and "_continue" not in request.POST:
            for warning in (*managed(saved), *self.warnings_about(saved)):
                messages.warning(request, warning)
        return response  # type: ignore[no-any-return]

    def warnings_about(self, _row: Any) -> list[SafeString]:
        """What is worth knowing of a saved row, on its page and after saving."""
        return []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with refused(), clear_errors():
            hold_lock()  # before any row is locked: another writer holds it and may want the same rows
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        name = str(form.instance)
        publish_edit(request, message=form.cleaned_data.get("reason") or "", edited=(self.kind(), name))
        setattr(request, SAVED, form.instance)

    # Deleting

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        there = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        return self.refusals_told(
            request, lambda: super(EntryAdmin, self).delete_view(request, object_id, extra_context), there
        )

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        name = str(obj)
        with published(request, message=f"Delete {self.opts.verbose_name} {name}"):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with published(request, message=f"Delete {self.counted(queryset.count())}"):
            super().delete_queryset(request, queryset)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self.refusals_told(
            request, lambda: super(EntryAdmin, self).changelist_view(request, extra_context), request.path
        )

    def refusals_told(
        self, request: HttpRequest, view: Callable[[], HttpResponse], there: str
    ) -> HttpResponse:
        """Runs a view; if it is refused, says why on the page `there`."""
        try:
            return view()
        except NotPublished as refusal:
            tell_refusal(request, refusal)
            return go(request, there)

    def counted(self, number: int) -> str:
        """`3 routes`."""
        return f"{number} {self.opts.verbose_name if number == 1 else self.opts.verbose_name_plural}"

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """What stands in the way of a deletion may be thousands of rows; a page shows some."""
        found, counts, lacking, protected = super().get_deleted_objects(objs, request)
        more = len(protected) - SHOWN_PROTECTED
        return (
            found,
            counts,
            lacking,
            [*protected[:SHOWN_PROTECTED], *([f"and {more} more"] if more > 0 else [])],
        )

    # Helpers

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed the row, whichever way: the audit trail or the revisions, for those who may see them."""
        row = self.get_object(request, object_id)
        if row is not None and request.user.has_perm(SEES_TRAIL):
            return HttpResponseRedirect(trail_of(self.kind(), str(row)))
        if row is None or not request.user.has_perm("routing.view_revision"):
            return super().history_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        there = reverse("admin:routing_revision_changelist")
        return HttpResponseRedirect(f"{there}?{urlencode({TOUCHES: f'{self.kind()} {row}'})}")

    def _may_save(self, request: HttpRequest, obj: Any) -> bool:
        return bool(
            self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        )


def managed(row: Any) -> list[SafeString]:
    """Whose a row is, to whoever is about to change it here, or has done so."""
    if (owner := getattr(row, MARK, None)) is None:
        return []
    text = (
        "Managed by <b>{0}</b>: the next gateway apply --managed-by {0} undoes what is changed here. Empty the field "
        "Managed by to keep the row for yourself."
    )
    return [format_html(text, owner)]


def _folded(is_folded: bool) -> dict[str, Any]:
    return {"classes": ["collapse"]} if is_folded else {}
