"""What sign-in changes in admin."""

import pytest
from django.contrib import admin
from django.db.models.signals import post_migrate, pre_migrate

from gateway_project.signin import doors


@pytest.mark.parametrize("app", ["account", "mfa", "socialaccount"])
def test_no_page_shows_secrets_of_sign_in(app: str) -> None:
    """allauth's own pages would show keys of authenticators and tokens of providers."""
    assert not [model for model in admin.site._registry if model._meta.app_label == app]


def test_installing_twice_is_installing_once() -> None:
    """Applications may be set up more than once in a process."""
    before = (len(pre_migrate.receivers), len(post_migrate.receivers))
    doors.install()

    assert (len(pre_migrate.receivers), len(post_migrate.receivers)) == before
