"""D: The paths of the OpenID provider that tests run, and what its tokens say."""

import json
import sys
from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from oauth2_provider.models import get_application_model
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import ConnectDiscoveryInfoView, JwksInfoView

from tests.support.oidcserver import new_key

MOUNT = sys.argv[2] if len(sys.argv) > 2 else "o"
asked: dict[str, int] = {}
"""How often each path was asked for."""
issuers: dict[str, str] = {}
"""The issuer that the OpenID configuration at a path names, where it is not its address; at none: that tokens name."""


class Validator(OAuth2Validator):
    """Puts into ID tokens what the gateway's claim mapping reads; no scope is needed for it."""

    oidc_claim_scope = None

    def get_oidc_issuer_endpoint(self, request: Any) -> str:
        return issuers.get("") or str(super().get_oidc_issuer_endpoint(request))

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        return {
            "preferred_username": request.user.username,
            "email": request.user.email,
            "email_verified": True,
            "name": request.user.get_full_name(),
            "roles": ["analyst"],
            "scope": " ".join(request.scopes),
            "scp": " ".join(request.scopes),  # this and the next one as Azure has them
            "oid": f"object-{request.user.pk}",
        }


def counted(view: Any, name: str) -> Any:
    def wrapped(request: HttpRequest, *arguments: Any, **options: Any) -> Any:
        asked[name] = asked.get(name, 0) + 1
        return view(request, *arguments, **options)

    return wrapped


def login(request: HttpRequest) -> Any:
    """Django's own page, without the token that only browsers carry along."""
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    return LoginView.as_view()(request)


def discovery(request: HttpRequest, **_named: str) -> JsonResponse:
    """The OpenID configuration, under the name that it has at this path."""
    found = json.loads(ConnectDiscoveryInfoView.as_view()(request).content)
    return JsonResponse(found | {"issuer": issuers.get(request.path, found["issuer"])})


def control(request: HttpRequest, what: str) -> JsonResponse:
    """Changes the provider while it runs; answers how often its keys were asked for."""
    said = json.loads(request.body or b"{}")
    if what == "rotate":
        old = oauth2_settings.OIDC_RSA_PRIVATE_KEY
        oauth2_settings.OIDC_RSA_PRIVATE_KEY = new_key()
        oauth2_settings.OIDC_RSA_PRIVATE_KEYS_INACTIVE = [old] if said.get("keep", True) else []
    elif what == "max-age":
        oauth2_settings.OIDC_JWKS_MAX_AGE_SECONDS = said["seconds"]
    elif what == "issuer":
        issuers[said["path"]] = said["uri"]
    elif what == "redirect":
        get_application_model().objects.update(redirect_uris=said["uri"])
    return JsonResponse(asked)


urlpatterns = [
    path("login/", login),
    path("control/<str:what>", control),
    path(f"{MOUNT}/.well-known/jwks.json", counted(JwksInfoView.as_view(), "keys")),
    path(f"{MOUNT}/.well-known/openid-configuration", discovery),
    path("<str:tenant>/.well-known/openid-configuration", discovery),  # beside MOUNT, as Azure has two
    path(f"{MOUNT}/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
