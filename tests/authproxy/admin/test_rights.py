"""Nobody becomes a superuser by way of access."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from authproxy.admin.rights import may_act_for

ROOT = User(username="root", is_superuser=True)
STAFF = User(username="staff", is_staff=True)


@pytest.mark.parametrize(
    ("me", "account", "may"),
    [
        (ROOT, ROOT, True),
        (ROOT, STAFF, True),
        (STAFF, STAFF, True),
        (STAFF, None, True),
        (STAFF, ROOT, False),
        (AnonymousUser(), ROOT, False),
    ],
)
def test_superusers_are_out_of_reach(me: User, account: User | None, may: bool) -> None:
    """Unless one is one oneself; what is no account's concerns nobody."""
    request = RequestFactory().get("/")
    request.user = me
    assert may_act_for(request, account) is may
