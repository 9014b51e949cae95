"""What people change of their own account is undone where it cannot be written down; the doors' test has the events."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from gateway_project.signin import urls
from gateway_project.signin.ownaccount import PAGES
from routing import auditing
from tests.support.adminpages import signed_in
from tests.support.endpoints import PASSWORD

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NEW = f"{PASSWORD}-new"


def names_of(patterns: Iterable[Any]) -> set[str]:
    """Those of all pages, also of included ones."""
    found: set[str] = set()
    for each in patterns:
        found |= names_of(each.url_patterns) if hasattr(each, "url_patterns") else {str(each.name)}
    return found


def test_each_is_a_page() -> None:
    """A name that allauth no longer knows would leave its page without a transaction."""
    assert names_of(urls.urlpatterns) >= PAGES


def test_a_password_that_nobody_could_note_is_not_changed() -> None:
    User.objects.create_user("anna", password=PASSWORD)
    client = signed_in("anna")
    client.raise_request_exception = False

    def refuse(*_: object) -> None:
        raise RuntimeError("the trail is full")

    unbind = auditing.bind(refuse)
    try:
        given = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        answer = client.post(reverse("account_change_password"), given)
    finally:
        unbind()

    assert answer.status_code == 500
    assert User.objects.get(username="anna").check_password(PASSWORD)
