"""D: The pages of sign-in, under /accounts/: of allauth's, those that have a use here.

Passwords are not reset by mail, as the gateway sends none: whoever administers accounts sets a new one.
"""

from allauth.account import views as account
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from gateway_project.signin.views import forgiving, no_password

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="mfa_index")),
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),  # says that it is closed
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", no_password, name="account_set_password"),
    path("2fa/", include("allauth.mfa.urls")),
]
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
