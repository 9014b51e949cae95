"""The pages of sign-in are given what admin's templates are given."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory

from gateway_project.signin.looks import branding


@pytest.mark.parametrize(("path", "is_branded"), [("/accounts/login/", True), ("/docs", False), ("/", False)])
def test_only_pages_of_sign_in_are_branded(path: str, is_branded: bool) -> None:
    """Elsewhere it costs nothing and gives nothing away."""
    request = RequestFactory().get(path)
    request.user = AnonymousUser()

    assert ("site_title" in branding(request)) is is_branded
