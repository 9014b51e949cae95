"""D: What sign-in changes in admin: its login and password pages, and which of allauth's rows have pages there."""

from typing import Any

from django.contrib import admin
from django.db.models.signals import post_migrate, pre_migrate


def install() -> None:
    """Once the applications are ready."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken

    from gateway_project.signin import groups
    from gateway_project.signin.views import admin_login, admin_password_change

    site: Any = admin.site
    site.login = admin_login
    site.password_change = admin_password_change
    # They show secrets, or configure what the environment configures.
    for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken):
        if site.is_registered(model):
            site.unregister(model)
    pre_migrate.connect(groups.remember, dispatch_uid="torana-groups-before")
    post_migrate.connect(groups.provide, dispatch_uid="torana-groups")
