"""D: Guessing at a sign-in page is slowed down and told about, whether it is passwords or codes that are guessed."""

from typing import Final

from django.contrib.auth import get_user_model
from django.http import HttpRequest

from authproxy import lockout, security
from authproxy.exchange import SCOPE_CLIENT
from authproxy.security import Kind, SecurityEvent
from routing.auditing import Deed, record

DOOR: Final = "admin"
TRAIL: Final[dict[Kind, str]] = {
    "staff_login_failed": "staff.login_failed",
    "mfa_failed": "staff.mfa_failed",
    "login_locked": "staff.login_locked",
}
"""What the audit trail calls it. That somebody was let in is written by whoever lets in."""


def address_of(request: HttpRequest) -> str:
    """Where the client is, behind trusted proxies."""
    found = getattr(request, "scope", {}).get(SCOPE_CLIENT) or request.META.get("REMOTE_ADDR") or ""
    return str(found)


def wait_s(request: HttpRequest, name: str) -> int:
    """How many seconds this client has to wait before it may try this account; 0 if it may now."""
    return lockout.check(name, address_of(request))


def failed(request: HttpRequest, name: str, kind: Kind) -> None:
    """Counts a password or a code that was wrong."""
    known = name if _is_account(name) else ""
    tell(request, kind, known)
    if lockout.failed(name, address_of(request)):
        tell(request, "login_locked", known)


def succeeded(request: HttpRequest, name: str) -> None:
    """Somebody is in, with everything that was asked for."""
    lockout.succeeded(name, address_of(request))
    tell(request, "staff_login", name)


def tell(request: HttpRequest, kind: Kind, name: str) -> None:
    """A security event about an account; people type passwords where a name is wanted, so only names of accounts."""
    if word := TRAIL.get(kind):
        record(Deed(word, (("account", name),) if name else (), name))
    security.emit(
        SecurityEvent(kind, actor=name, subject=name, address=address_of(request), details={"door": DOOR})
    )


def _is_account(name: str) -> bool:
    return bool(get_user_model()._default_manager.filter(username=name).exists())
