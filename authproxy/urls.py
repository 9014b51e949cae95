"""D: The paths of sign-in, of one's own account, of the public keys, and of the documentation."""

from django.conf import settings
from django.urls import path

from authproxy.views import docs, jwks, login, logout, own, refresh, register, token, whoami

_prefix = settings.CONFIG.api_prefix.strip("/")
_prefix += "/" if _prefix else ""

urlpatterns = [
    path("api/auth/register", register.RegisterView.as_view()),
    path("api/auth/login", login.LoginView.as_view()),
    path("api/auth/refresh", refresh.RefreshView.as_view()),
    path("api/auth/logout", logout.LogoutView.as_view()),
    path("api/auth/validate", whoami.ValidateView.as_view()),
    path("api/auth/profile", whoami.ProfileView.as_view()),
    path(f"{_prefix}auth/token", token.TokenView.as_view()),
    path(f"{_prefix}users/me", whoami.MeView.as_view()),
    path(f"{_prefix}users/me/keys", own.KeysView.as_view()),
    path(f"{_prefix}users/me/keys/<int:pk>", own.KeyView.as_view()),
    path(f"{_prefix}users/me/sessions", own.SessionsView.as_view()),
    path(f"{_prefix}users/me/sessions/<uuid:pk>", own.SessionView.as_view()),
    path(".well-known/jwks.json", jwks.JwksView.as_view()),
    path("docs/openapi.json", docs.DocumentView.as_view()),
    path("docs/account", docs.account),
    path("docs", docs.page, name="docs"),
]
