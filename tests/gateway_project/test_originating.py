"""Where a change comes from, by its path."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from gateway_project.originating import door_of, origin_of
from routing.auditing import Origin


@pytest.mark.parametrize(
    ("path", "door"),
    [
        ("/admin/routing/route/", "admin"),
        ("/accounts/login/", "sign-in"),
        ("/control/v1/breakers/a", "api"),
        ("/discovery/register", "discovery"),
        ("/auth/register", "account"),
    ],
)
def test_doors(path: str, door: str) -> None:
    assert door_of(path) == door


def test_who_is_signed_in_to_admin() -> None:
    """A session of admin says nothing about who calls the control API."""
    for path, expected in (
        ("/admin/", Origin("admin", "127.0.0.1", "anna", 7)),
        ("/control/v1/audit", Origin("api", "127.0.0.1")),
    ):
        request: Any = RequestFactory().get(path)
        request.user = User(pk=7, username="anna")
        assert origin_of(request) == expected
    request.user = AnonymousUser()
    assert origin_of(request).name == ""
