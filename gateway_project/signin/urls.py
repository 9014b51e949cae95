"""D: The pages of sign-in, under /accounts/: of allauth's, those that have a use here.

A page on which people change their own account is one transaction, with its event in the audit trail.

Passwords are not reset by mail, as the gateway sends none: whoever administers accounts sets a new one.
"""

from collections.abc import Iterable

from allauth.account import views as account
from allauth.mfa import urls as mfa
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from gateway_project.signin.ownaccount import PAGES
from gateway_project.signin.views import forgiving, no_password
from routing.auditing import gathering


def in_one_transaction(patterns: Iterable[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The same patterns, with the pages of `ownaccount` as one transaction each."""
    found: list[URLPattern | URLResolver] = []
    for each in patterns:
        if isinstance(each, URLResolver):
            inner = in_one_transaction(each.url_patterns)
            found.append(URLResolver(each.pattern, inner, each.default_kwargs, each.app_name, each.namespace))
        elif each.name in PAGES:
            page = gathering()(each.callback)
            found.append(URLPattern(each.pattern, page, each.default_args, each.name))
        else:
            found.append(each)
    return found


_pages: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="mfa_index")),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),  # says that it is closed
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", no_password, name="account_set_password"),
    path("2fa/", include(mfa.urlpatterns)),
]
urlpatterns = in_one_transaction(_pages)
if settings.CONFIG.staff_oidc_issuer is not None:
    urlpatterns += [
        path("3rdparty/", include("allauth.socialaccount.urls")),
        path("oidc/<slug:provider_id>/login/", forgiving(openid_connect.login), name="openid_connect_login"),
        path(
            "oidc/<slug:provider_id>/login/callback/",
            forgiving(openid_connect.callback),
            name="openid_connect_callback",
        ),
    ]
