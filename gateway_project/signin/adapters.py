"""D: Where allauth asks what holds here: nobody signs up, guessing waits, staff is known by a verified address."""

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from gateway_project.signin import guard, sealing
from routing.auditing import Deed, record

UNKNOWN: Final = "socialaccount/unknown.html"
TOO_MANY: Final = "Too many failed attempts. Try again in {} seconds."


class AccountAdapter(DefaultAccountAdapter):
    """Signing in with a password."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return guard.address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        refuse_if_waiting(request, _name_in(credentials))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:  # others may have guessed meanwhile, side by side
            refuse_if_waiting(request, _name_in(credentials))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        guard.failed(request, _name_in(credentials), "staff_login_failed")

    def login(self, request: HttpRequest, user: Any) -> None:
        """Whoever is let in is in the audit trail, or is not let in."""
        name = user.get_username()
        with transaction.atomic():
            record(Deed("staff.login", (("account", name),), name, user_id=user.pk))
            super().login(request, user)

    def post_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse:
        guard.succeeded(request, user.get_username())
        return super().post_login(request, user, **about)  # type: ignore[no-any-return]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Admin is for staff; others have their own account's pages."""
        return reverse("admin:index" if getattr(request.user, "is_staff", False) else "mfa_index")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: Any = None, *a: Any, **k: Any
    ) -> None:
        """Nobody needs to be told that they have signed in."""
        if message_template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, message_template, *a, **k)

    def send_notification_mail(self, *_args: Any, **_kwargs: Any) -> None:
        """There is no mail server to send by."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are sealed in the database."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(encrypted_text)


class ProviderAdapter(DefaultSocialAccountAdapter):
    """Signing in through the operator's identity provider, for staff that is there already."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """A first sign-in is connected to the one staff account with the address that the provider has verified."""
        if sociallogin.is_existing or isinstance(request.user, get_user_model()):
            return
        user = _staff_with(sociallogin.email_addresses)
        if user is None:
            guard.tell(request, "staff_login_failed", "")
            raise ImmediateHttpResponse(render(request, UNKNOWN, status=403))
        sociallogin.connect(request, user)

    def on_authentication_error(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> None:
        guard.tell(request, "staff_login_failed", "")


def refuse_if_waiting(request: HttpRequest, name: str) -> None:
    """Raises ValidationError, with how long to wait, while this client may not try this account."""
    if wait := guard.wait_s(request, name):
        raise ValidationError(TOO_MANY.format(wait), code="too_many_login_attempts")


def _staff_with(addresses: list[EmailAddress]) -> Any:
    """Only staff: an account that anybody can register must not attract somebody else's sign-in."""
    verified = [address.email for address in addresses if address.verified is True and address.email]
    if not verified:
        return None
    staff = get_user_model()._default_manager.filter(is_staff=True, is_active=True)
    found = list(staff.filter(email__iexact=verified[0])[:2])
    return found[0] if len(found) == 1 else None


def _name_in(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or "")
