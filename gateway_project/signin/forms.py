"""D: The forms of sign-in: what they add to allauth's is that guessing waits, whatever is guessed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.forms import ChangePasswordForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from gateway_project.signin import guard
from gateway_project.signin.adapters import refuse_if_waiting


class PasswordChangeForm(ChangePasswordForm):
    """The old password and the new one, twice."""

    def clean_oldpassword(self) -> str:
        name = self.user.get_username()
        refuse_if_waiting(context.request, name)
        try:
            password: str = super().clean_oldpassword()
        except ValidationError:
            guard.failed(context.request, name, "staff_login_failed")
            raise
        return password


class _GuardedCode:
    """A code of an authenticator or a recovery code."""

    user: Any

    def clean_code(self) -> str:
        name = self.user.get_username()
        refuse_if_waiting(context.request, name)
        code: str = super().clean_code()  # type: ignore[misc]
        refuse_if_waiting(context.request, name)
        return code

    def _emit_authentication_failed(self, authenticator: Any) -> None:
        guard.failed(context.request, self.user.get_username(), "mfa_failed")
        super()._emit_authentication_failed(authenticator)  # type: ignore[misc]


class CodeForm(_GuardedCode, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(_GuardedCode, ReauthenticateForm):
    """Asked once more before something that matters."""


@contextmanager
def _credential_read(request: HttpRequest, name: str) -> Iterator[None]:
    """The library trusts what browsers send; whatever it trips over is a credential that is wrong."""
    try:
        yield
    except Exception as error:
        guard.tell(request, "mfa_failed", name)
        if isinstance(error, ValidationError):
            raise
        raise get_adapter().validation_error("incorrect_code") from error


class SecurityKeyForm(AuthenticateWebAuthnForm):
    """The second step of signing in, with a security key."""

    def clean_credential(self) -> Any:
        with _credential_read(context.request, self.user.get_username()):
            return super().clean_credential()


class SecurityKeyAgainForm(SecurityKeyForm):
    """Asked once more before something that matters."""

    reauthenticated = True


class AddSecurityKeyForm(AddWebAuthnForm):
    """A new security key."""

    def clean(self) -> Any:
        with _credential_read(context.request, self.user.get_username()):
            return super().clean()
