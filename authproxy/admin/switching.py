"""D: Letting in and shutting out, one row in a dialog or many on a page that asks: consumers and accounts alike."""

from abc import abstractmethod
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.forms import BaseDialogForm

from authproxy.admin.asking import asked, counted, go_back, in_dialog, noted, one
from routing.admin.dialogs import ReasonDialog
from routing.auditing import gathering

DISABLED: Final = "Its keys, sessions and tokens are refused everywhere within a second."
ENABLED: Final = "It may pass again as it could before; sessions that have ended stay so."
SWITCHES: Final = ["enable", "disable"]
SWITCHES_SELECTED: Final = ("enable_selected", "disable_selected")


class SwitchingAdmin(ModelAdmin):
    """Rows that can be enabled and disabled."""

    @abstractmethod
    def switched(self, request: HttpRequest, queryset: QuerySet[Any], *, is_on: bool) -> list[Any]:
        """Enables or disables rows; those that it changed."""

    @abstractmethod
    def is_enabled(self, object_id: Any) -> bool:
        """Whether a row is enabled."""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Enable or disable, whichever would change something."""
        useless = "enable" if self.is_enabled(object_id) else "disable"
        return [each for each in super().get_actions_detail(request, object_id) if each.path != useless]

    @in_dialog("Enable", icon="toggle_on", permission="change", title="Let it in again?", about=ENABLED)
    def enable(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Lets one in."""
        return self._switch_one(request, form, object_id, is_on=True)

    @in_dialog("Disable", icon="block", permission="change", title="Shut it out?", about=DISABLED)
    def disable(self, request: HttpRequest, form: ReasonDialog, object_id: str) -> HttpResponse:
        """Shuts one out."""
        return self._switch_one(request, form, object_id, is_on=False)

    @admin.action(description="Enable selected", permissions=["change"])
    def enable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Asks, then lets them in."""
        return self._switch_selected(request, queryset, is_on=True)

    @admin.action(description="Disable selected", permissions=["change"])
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Asks, then shuts them out."""
        return self._switch_selected(request, queryset, is_on=False)

    def note(self, request: HttpRequest, changed: list[Any], message: str) -> None:
        """Writes into the history of each."""
        me: Any = request.user
        if changed:
            LogEntry.objects.log_actions(me.pk, changed, CHANGE, message)

    def _switch_one(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str, *, is_on: bool
    ) -> HttpResponse:
        self._switch(request, one(self.get_queryset(request), object_id), form, is_on=is_on)
        return go_back(request, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def _switch_selected(
        self, request: HttpRequest, queryset: QuerySet[Any], *, is_on: bool
    ) -> HttpResponse | None:
        verb, about = ("Enable", ENABLED) if is_on else ("Disable", DISABLED)
        answer = asked(self, request, queryset, verb=verb, about=about)
        if not isinstance(answer, BaseDialogForm):
            return answer
        self._switch(request, queryset, answer, is_on=is_on)
        return None

    def _switch(
        self, request: HttpRequest, queryset: QuerySet[Any], form: BaseDialogForm, *, is_on: bool
    ) -> None:
        with gathering(reason=form.cleaned_data.get("reason", "")):
            changed = self.switched(request, queryset, is_on=is_on)
        what = "Enabled" if is_on else "Disabled"
        self.note(request, changed, noted(what, form))
        self.message_user(request, f"{what} {counted(self, len(changed))}: live everywhere within a second.")
