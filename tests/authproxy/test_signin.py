"""Signing in with a password, without HTTP around it."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User

from authproxy import lockout, signin
from authproxy.granting import Standing, standing
from authproxy.models import FailedSignIn
from authproxy.signin import SignInRefused, sign_in, still_holds

pytestmark = [pytest.mark.store, pytest.mark.django_db]

PASSWORD = "correct-horse-battery"
HOME = "192.0.2.1"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


def change_password(user: User) -> None:
    user.set_password("another-password-1")
    user.save()


def enter(name: str = "ada", password: str = PASSWORD, otp: str = "") -> Standing | SignInRefused:
    return sign_in(username=name, password=password, otp=otp, address=HOME)


def test_the_right_password(ada: User) -> None:
    """The standing; the time is noted, and failures from here are forgotten."""
    enter(password="wrong")
    found = enter()

    assert isinstance(found, Standing)
    assert found.user == ada
    ada.refresh_from_db()
    assert ada.last_login is not None
    assert lockout.check("ada", HOME) == 0
    assert not FailedSignIn.objects.filter(failures=5).exists()


@pytest.mark.parametrize("name", ["ada", "nobody", "ADA", "", "x" * 254, "ada@example.com"])
def test_wrong_guesses(ada: User, name: str) -> None:
    """All are told the same."""
    assert enter(name, "wrong") == SignInRefused("invalid")


def test_names_are_taken_as_they_are(ada: User) -> None:
    """Only addresses of mail are the same in any case."""
    assert enter("ADA") == SignInRefused("invalid")
    assert isinstance(enter("ADA@Example.COM"), Standing)


def test_locked(ada: User) -> None:
    """How long is said; nothing else."""
    for _ in range(5):
        enter(password="wrong")
    found = enter()

    assert isinstance(found, SignInRefused)
    assert (found.reason, 8 <= found.wait_s <= 10) == ("locked", True)


def test_a_code_of_an_authenticator_app(ada: User) -> None:
    """It is right for half a minute or so, and once."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(ada, secret)
    code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))

    assert enter() == SignInRefused("second_factor_required")
    assert isinstance(enter(otp=code), Standing)
    assert enter(otp=code) == SignInRefused("invalid")


def test_an_account_with_a_security_key_alone(ada: User) -> None:
    """There is no code for it: it signs in at the page for people."""
    Authenticator.objects.create(user=ada, type=Authenticator.Type.WEBAUTHN, data={})

    assert enter() == SignInRefused("second_factor_required")
    assert enter(otp="123456") == SignInRefused("invalid")


def test_a_password_that_is_changed_while_it_is_judged(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one opens nothing any more."""

    def late(user: User) -> Standing | None:
        change_password(ada)
        return standing(user)

    monkeypatch.setattr(signin, "standing", late)

    assert enter() == SignInRefused("invalid")


def test_what_was_judged_must_still_hold(ada: User) -> None:
    """Another password, or a disabled account: the session is not to be opened."""
    found = enter()
    assert isinstance(found, Standing)
    assert still_holds(found)
    change_password(ada)
    assert not still_holds(found)
    found = enter(password="another-password-1")
    assert isinstance(found, Standing)
    User.objects.update(is_active=False)
    assert not still_holds(found)
