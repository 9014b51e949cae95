"""D: Who may do what on the pages of access, beyond what Django asks by itself."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin


def may(page: ModelAdmin, request: HttpRequest, what: str) -> bool:
    """Whether somebody has Django's permission (`add`, `change`, …) for the rows of a page."""
    return bool(request.user.has_perm(f"{page.opts.app_label}.{get_permission_codename(what, page.opts)}"))


def may_act_for(request: HttpRequest, account: User | None) -> bool:
    """Whether somebody may get hold of an account's rights: its password, or a key for it.

    Superusers are beyond the reach of those who are not: whoever administers access could otherwise become one.
    """
    me: Any = request.user
    return account is None or not account.is_superuser or bool(me.is_superuser)


def right_name(permission: Permission) -> str:
    """What a permission is asked for by: `routing.view_route`. Read its content type with it."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def beyond(account: Any, wanted: Iterable[Permission]) -> list[str]:
    """The rights among these that an account may not pass on, as it does not have them."""
    return sorted(name for name in map(right_name, wanted) if not account.has_perm(name))
