"""D: The pages of sign-in look like admin: they are given what admin's own templates are given."""

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest

PREFIX: Final = "/accounts/"


def branding(request: HttpRequest) -> dict[str, Any]:
    """A context processor; on other pages it adds nothing."""
    if not request.path_info.startswith(PREFIX) and not request.path_info.startswith("/admin/login/"):
        return {}
    return admin.site.each_context(request)
