"""Who is known by a provider's word, and what is sealed on its way to the database."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from gateway_project.signin.adapters import AccountAdapter, ProviderAdapter

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ADDRESS = "ada@example.com"


class Login(SimpleNamespace):
    """A sign-in that a provider has vouched for, as far as the adapter looks."""

    connected: Any = None

    def connect(self, _request: Any, user: User) -> None:
        self.connected = user


def vouched(address: str = ADDRESS, *, verified: Any = True) -> Login:
    return Login(is_existing=False, email_addresses=[EmailAddress(email=address, verified=verified)])


def offered(login: Login) -> Any:
    """Who is connected to the sign-in; None if it was refused."""
    request = RequestFactory().get("/accounts/oidc/staff/login/callback/")
    request.user = AnonymousUser()
    with suppress(ImmediateHttpResponse):
        ProviderAdapter().pre_social_login(request, login)
    return login.connected


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", ADDRESS, is_staff=True)


def test_staff_is_known_by_its_verified_address(ada: User) -> None:
    """In whatever case it is written."""
    assert offered(vouched()) == ada
    assert offered(vouched("Ada@Example.com")) == ada


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_address_that_nobody_has_verified_proves_nothing(ada: User, verified: Any) -> None:
    """Anybody could have typed it at the provider; only a real true counts."""
    assert offered(vouched(verified=verified)) is None


@pytest.mark.parametrize(
    "login", [vouched("eve@example.com"), vouched(""), Login(is_existing=False, email_addresses=[])]
)
def test_stranger_is_refused_and_gets_no_account(ada: User, login: Login) -> None:
    """Sign-up is closed by this way, too."""
    assert offered(login) is None
    assert User.objects.count() == 1


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_account_that_anybody_could_register_attracts_no_sign_in(ada: User, change: dict[str, bool]) -> None:
    """Only active staff is looked for."""
    User.objects.update(**change)
    assert offered(vouched()) is None


def test_address_of_two_accounts_is_nobodys(ada: User) -> None:
    """Which of them it is cannot be known."""
    User.objects.create_user("ada2", ADDRESS.upper(), is_staff=True)
    assert offered(vouched()) is None


def test_known_connection_is_left_alone(ada: User) -> None:
    """Later sign-ins go by the provider's own id, not by the address."""
    login = Login(is_existing=True, email_addresses=[])
    assert offered(login) is None
    assert login.connected is None


def test_secret_of_a_code_is_sealed_in_the_database(ada: User) -> None:
    """And codes are still checked against it."""
    TOTP.activate(ada, "JBSWY3DPEHPK3PXP")
    stored = Authenticator.objects.get().data["secret"]

    assert "JBSWY3DPEHPK3PXP" not in stored


@pytest.mark.parametrize(("is_staff", "there"), [(True, "/admin/"), (False, "/accounts/2fa/")])
def test_where_signing_in_leads(is_staff: bool, there: str) -> None:
    """Admin is for staff; others have the pages of their own account."""
    request = RequestFactory().get("/")
    request.user = User(is_staff=is_staff)

    assert AccountAdapter(request).get_login_redirect_url(request) == there
