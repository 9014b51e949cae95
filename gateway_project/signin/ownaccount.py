"""D: What people change of their own account, each an event of the audit trail: the password, and second factors.

Each page is one transaction (see `urls`): what cannot be written down is undone.
"""

from typing import Any, Final

from allauth.account.signals import password_changed
from django.contrib.auth.models import User
from django.db.models.signals import post_delete, post_save

from routing.auditing import Deed, record

PAGES: Final = frozenset(
    {
        "account_change_password",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
    }
)
"""By their names."""


def install() -> None:
    """Listens to allauth, and to the rows of factors: what allauth says of these comes after the commit."""
    password_changed.connect(_password, dispatch_uid="audit-password")
    post_save.connect(_factor_saved, sender="mfa.Authenticator", dispatch_uid="audit-factor-saved")
    post_delete.connect(_factor_deleted, sender="mfa.Authenticator", dispatch_uid="audit-factor-deleted")


def _password(user: User, **_: Any) -> None:
    _note("account.password", user)


def _factor_saved(instance: Any, created: bool, **_: Any) -> None:
    if created:  # otherwise it was used
        _note("account.add_factor", instance.user, factor=str(instance.type))


def _factor_deleted(instance: Any, **_: Any) -> None:
    _note("account.remove_factor", instance.user, factor=str(instance.type))


def _note(action: str, user: User, **details: str) -> None:
    record(Deed(action, (("account", user.get_username()),), details=details))
