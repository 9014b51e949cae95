"""D: Pages whose rows are no part of the document: each save, deletion and action on them is one event of the trail."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from routing.auditing import Deed, changed, gathering, record

_BEFORE: Final = "_torana_audit_before"
SEES_TRAIL: Final = "observability.view_auditevent"
_UNSEEN: Final = frozenset({"id", "last_login", "created_at", "updated_at", "version"})
KINDS: Final = {
    "user": "account",
    "group": "group",
    "consumer": "consumer",
    "owner": "owner",
    "apikey": "api key",
    "alertreceiver": "alert receiver",
}

_Base: Any = ModelAdmin if TYPE_CHECKING else object


class TrailHistory(_Base):
    """The one history of a row is the audit trail's, for those who may see it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Leads to the events about the row."""
        found = self.get_object(request, object_id)
        may_see = request.user.has_perm(SEES_TRAIL)
        if found is None or not may_see or not self.has_view_or_change_permission(request, found):
            return super().history_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        return HttpResponseRedirect(trail_of(kind_of(found), name_of(found)))


class AuditedAdmin(TrailHistory):
    """Stands before Django's own class: what a page does is gathered into one event, written in its transaction."""

    def _changeform_view(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        if request.method != "POST":
            return super()._changeform_view(request, *arguments, **named)  # type: ignore[no-any-return]
        with gathering(savepoint=False):
            return super()._changeform_view(request, *arguments, **named)  # type: ignore[no-any-return]

    def _delete_view(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        if request.method != "POST":
            return super()._delete_view(request, *arguments, **named)  # type: ignore[no-any-return]
        with gathering(savepoint=False):
            return super()._delete_view(request, *arguments, **named)  # type: ignore[no-any-return]

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """An action on many rows is one event."""
        with gathering():
            return super().response_action(request, queryset)  # type: ignore[no-any-return]

    def user_change_password(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Of accounts: Django saves the password without a transaction."""
        with gathering("account.password"):
            return super().user_change_password(request, *arguments, **named)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Notes how the row was."""
        row = type(obj)._default_manager.filter(pk=obj.pk).first() if change else None
        setattr(obj, _BEFORE, picture(row) if row is not None else None)
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Django's word that a row was made."""
        self._record(request, "create", obj, changed(kind_of(obj), str(obj), None, picture(obj)))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Django's word that a row was changed; saved as it was, it is no event."""
        before: Mapping[str, Any] | None = getattr(obj, _BEFORE, None)
        if before is None:  # an action, or a password: not the form
            self._record(request, "change", obj, (), str(message) if isinstance(message, str) else "")
        elif (now := picture(obj)) != before:
            self._record(request, "change", obj, changed(kind_of(obj), str(obj), before, now))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django's word that rows are about to be deleted."""
        for obj in queryset:
            self._record(request, "delete", obj, changed(kind_of(obj), str(obj), picture(obj), None))
        return super().log_deletions(request, queryset)

    def _record(
        self, request: HttpRequest, word: str, obj: Model, changes: tuple[dict[str, Any], ...], why: str = ""
    ) -> None:
        kind, by = kind_of(obj), str(request.user.get_username())
        names = dict.fromkeys((str(obj), *_former(changes)))  # a row that was renamed is found by either
        about = tuple((kind, name) for name in names)
        record(Deed(f"{kind}.{word}", about, by, why, changes, user_id=request.user.pk))


def trail_of(kind: str, name: str) -> str:
    """Where the events about an object are listed."""
    return f"{reverse('admin:observability_auditevent_changelist')}?{urlencode({'object': f'{kind} {name}'})}"


def kind_of(obj: Model) -> str:
    """What the trail calls rows of this kind."""
    name = str(obj._meta.model_name)
    return KINDS.get(name, name)


def name_of(obj: Model) -> str:
    """What the trail calls this row: of an API key, the part of it that everybody may see."""
    return str(getattr(obj, "prefix", obj))


def picture(obj: Model) -> dict[str, Any]:
    """A row in JSON values, with what is joined to it by name. Secrets are hidden by whoever keeps it."""
    found: dict[str, Any] = {}
    for field in obj._meta.concrete_fields:
        if field.name not in _UNSEEN:
            value = getattr(obj, field.name if field.is_relation else field.attname)
            found[field.name] = _plain(value)
    if hasattr(obj, "in_trail"):
        found |= obj.in_trail()
    for many in obj._meta.many_to_many:
        found[many.name] = sorted(str(each) for each in getattr(obj, many.name).all())
    return found


def _former(changes: tuple[dict[str, Any], ...]) -> list[str]:
    fields = [each for change in changes for each in change["fields"]]
    return [
        str(each["before"]) for each in fields if each["path"] in ("name", "username") and "before" in each
    ]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
