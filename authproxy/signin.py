"""D: Signing in with a password: who it is, or why not, told alike and at the same cost for every wrong guess."""

from dataclasses import dataclass
from typing import Final, Literal

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.utils import timezone

from authproxy import lockout, revocation
from authproxy.granting import Standing, standing
from authproxy.security import Kind, SecurityEvent, emit

_UNUSABLE: Final = "!"
"""No password fits it, and finding that out costs as much as with a real one."""
_WITH_CODES: Final = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Only who brought the right password learns that a second factor is wanted."""

    reason: Literal["invalid", "locked", "second_factor_required"]
    wait_s: int = 0


def sign_in(
    *, username: str = "", email: str = "", password: str, otp: str = "", address: str
) -> Standing | SignInRefused:
    """Who has this name, or this address of mail, and this password. Counts, waits and tells events."""
    user = _find(username, email)
    name = user.username if user is not None else username or email
    with lockout.turn(name, address) as is_mine:
        wait = lockout.check(name, address) if is_mine else 1
        if wait:
            return _locked(user, address, wait)
        is_right = (user or User(password=_UNUSABLE)).check_password(password)
        if wait := lockout.check(name, address):
            return _locked(user, address, wait)
        found = standing(user) if user is not None and is_right else None
        if found is None or not found.is_enabled or not _is_still_right(found, user, password):
            return _failed(user, name, address)
        assert found.user is not None
        if not _has_second_factor(found.user, otp):
            if not otp:
                return SignInRefused("second_factor_required")
            _tell("mfa_failed", user, address)
            return _failed(user, name, address)
        lockout.succeeded(name, address)
    User.objects.filter(pk=found.user.pk).update(last_login=timezone.now())
    _tell("login", user, address)
    return found


def still_holds(found: Standing) -> bool:
    """Whether account and password are as they were when they were judged.

    Ask in the transaction that opens the session: so a change comes either before, and is seen here, or after, and
    ends the session, too.
    """
    assert found.user is not None
    revocation.hold_order()
    return User.objects.filter(pk=found.user.pk, password=found.user.password, is_active=True).exists()


def _is_still_right(found: Standing, judged: User | None, password: str) -> bool:
    """Judging a password takes a while, in which it may have been changed."""
    now = found.user
    assert now is not None
    return (judged is not None and now.password == judged.password) or now.check_password(password)


def _find(username: str, email: str) -> User | None:
    """By name, else by the address of mail; of several accounts with one address the oldest has it."""
    user = User.objects.filter(username=username).first() if username else None
    mail = email or (username if "@" in username else "")
    if user is None and mail:
        user = User.objects.filter(email__iexact=mail).order_by("pk").first()
    return user


def _has_second_factor(user: User, otp: str) -> bool:
    """Whether `otp` is right, or none is wanted."""
    factors = list(Authenticator.objects.filter(user=user))
    if not factors:
        return True
    usable = [factor for factor in factors if factor.type in _WITH_CODES]
    return bool(otp) and any(factor.wrap().validate_code(otp) for factor in usable)


def _failed(user: User | None, name: str, address: str) -> SignInRefused:
    wait = lockout.failed(name, address)
    _tell("login_failed", user, address)
    if wait:
        _tell("login_locked", user, address, wait)
    return SignInRefused("invalid")


def _locked(user: User | None, address: str, wait: int) -> SignInRefused:
    _tell("login_failed", user, address)
    return SignInRefused("locked", wait)


def _tell(kind: Kind, user: User | None, address: str, wait: int = 0) -> None:
    """Names only accounts that exist: people type passwords where a name belongs."""
    name = user.username if user is not None else ""
    actor = name if kind == "login" else ""
    emit(SecurityEvent(kind, actor, name, address, {"wait_s": wait} if wait else {}))
