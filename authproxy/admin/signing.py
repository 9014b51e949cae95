"""D: The page of the keys that sign tokens: what each does now, and making the next one."""

from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.forms import BaseDialogForm

from authproxy import signingkeys
from authproxy.admin.asking import by
from authproxy.admin.rights import may
from authproxy.models import SigningKey
from routing.admin.dialogs import action, go
from routing.admin.revisions import ReadOnlyAdmin

COLOURS: Final = {
    "signs": "success",
    "next": "info",
    "verifies": "warning",
    "retired": "danger",
    "unused": "danger",
}
_STATE: Final = "torana_state"


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Keys made by rotation. What they are is sealed, and shown nowhere."""

    list_display = ("kid", "algorithm", "shown_state", "created_at", "activates_at", "retires_at")
    fields = list_display
    sortable_by = ()
    actions_list: ClassVar[list[Any]] = ["rotate"]
    list_before_template = "authproxy/admin/signing_notice.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        policy = signingkeys.KeyPolicy.of(settings.CONFIG)
        notice = {"is_fixed": policy.is_fixed, "is_derived": policy.derived is not None, "policy": policy}
        return super().changelist_view(  # type: ignore[no-any-return]
            request, {**(extra_context or {}), "signing": notice}
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        _with_states(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        _with_states([row] if row is not None else [])
        return row

    @display(description="state", label=COLOURS)
    def shown_state(self, row: SigningKey) -> str:
        return str(getattr(row, _STATE, ""))

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        """Whoever may make keys."""
        return may(self, request, "add")

    @action(
        description="Rotate",
        icon="autorenew",
        permissions=["rotate"],
        url_path="rotate",
        dialog={
            "title": "Make the next signing key?",
            "description": "It signs in a few seconds, when every worker knows it. "
            "Tokens that were signed before stay good until they expire.",
            "form_submit_text": "Rotate",
        },
    )
    def rotate(self, request: HttpRequest, _form: BaseDialogForm) -> HttpResponse:
        """Makes the next key."""
        try:
            row = signingkeys.shared().rotate(actor=by(request))
        except signingkeys.RotationRefused as refusal:
            self.message_user(request, f"Nothing was changed: {refusal}.", messages.ERROR)
        else:
            self.log_addition(request, row, "Rotated.")
            self.message_user(request, f"Key {row.kid} signs in a few seconds.")
        return go(request, reverse("admin:authproxy_signingkey_changelist"))


def _with_states(rows: Any) -> None:
    for row, state in signingkeys.with_states(rows):
        setattr(row, _STATE, state)
