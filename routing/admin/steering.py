"""D: What pages share on which operators steer what runs: who may look, who may act, and the dialogs that ask why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from routing.admin.dialogs import ReasonDialog, action, go
from routing.admin.revisions import ReadOnlyAdmin

OPERATE: Final = "routing.operate"
SEE: Final = "routing.view_service"


def may_operate(request: HttpRequest) -> bool:
    """Whether somebody may steer what runs."""
    return bool(request.user.has_perm(OPERATE))


def by(request: HttpRequest) -> str:
    """Who is signed in, as histories name them."""
    return str(request.user.get_username())


def steers(
    verb: str, *, icon: str, title: str, about: str, form: type[ReasonDialog] = ReasonDialog
) -> Callable[[Any], Any]:
    """An operator's action on one row, which a dialog confirms and asks the reason of."""
    return action(
        description=verb,
        icon=icon,
        permissions=["operate"],
        url_path=verb.lower().replace(" ", "-"),
        dialog={"title": title, "description": about, "form_class": form, "form_submit_text": verb},
    )


def moment(at: datetime | None) -> str:
    """A time as pages show it."""
    return "–" if at is None else date_format(localtime(at), "DATETIME_FORMAT")


class SteeringAdmin(ReadOnlyAdmin):
    """Whoever may see services (or has the right that `sees` names) may look, and operators may act."""

    sees: str = SEE

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_see = super().has_view_permission(request, obj) or request.user.has_perm(self.sees)
        return may_see or may_operate(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_operate_permission(self, request: HttpRequest, _object_id: str | None = None) -> bool:
        return may_operate(request)

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """The row of a page's address; 404 if there is none."""
        found: models.Model | None = self.get_object(request, object_id)
        if found is None:
            raise Http404
        return found

    def to_list(self, request: HttpRequest) -> HttpResponse:
        """Where the browser goes after an action."""
        return go(request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def told(self, request: HttpRequest, act: Callable[[], str], *refusals: type[Exception]) -> None:
        """Says what was done, or why nothing was."""
        try:
            self.message_user(request, act())
        except refusals as refusal:
            self.message_user(request, f"Nothing was changed: {refusal}", "ERROR")
