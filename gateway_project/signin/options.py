"""D: What allauth is told: staff signs in through it, nobody signs up through it, and it limits nothing by itself.

Its own limits count in the cache and refuse everybody while Redis is away; `guard` counts in the database instead.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from gateway_project.config import GatewayConfig

LOGIN_PATH: Final = "/accounts/login/"
STAFF_PROVIDER: Final = "staff"
"""The name of the operator's identity provider in the paths of its pages."""
REAUTHENTICATION_TIMEOUT_S: Final = 300
SESSION_AGE_S: Final = 12 * 3600  # a working day
_PACKAGE: Final = "gateway_project.signin"


def allauth_settings(config: GatewayConfig) -> dict[str, Any]:
    """The settings by name."""
    return _accounts(config) | _second_factors(config) | _providers(config)


def _accounts(config: GatewayConfig) -> dict[str, Any]:
    return {
        "ACCOUNT_ADAPTER": f"{_PACKAGE}.adapters.AccountAdapter",
        "ACCOUNT_FORMS": {"change_password": f"{_PACKAGE}.forms.PasswordChangeForm"},
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],  # of a form that is never shown
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_SESSION_REMEMBER": True,  # for SESSION_COOKIE_AGE; nobody is asked
        "ACCOUNT_LOGOUT_REDIRECT_URL": LOGIN_PATH,
        "ACCOUNT_RATE_LIMITS": False,
        "ACCOUNT_REAUTHENTICATION_TIMEOUT": REAUTHENTICATION_TIMEOUT_S,
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if config.is_deployed else "http",
    }


def _second_factors(config: GatewayConfig) -> dict[str, Any]:
    return {
        "MFA_ADAPTER": f"{_PACKAGE}.adapters.SecondFactorAdapter",
        "MFA_FORMS": {
            "authenticate": f"{_PACKAGE}.forms.CodeForm",
            "reauthenticate": f"{_PACKAGE}.forms.CodeAgainForm",
            "authenticate_webauthn": f"{_PACKAGE}.forms.SecurityKeyForm",
            "reauthenticate_webauthn": f"{_PACKAGE}.forms.SecurityKeyAgainForm",
            "add_webauthn": f"{_PACKAGE}.forms.AddSecurityKeyForm",
        },
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # addresses are not verified here
        "MFA_TOTP_ISSUER": config.service_name,
        "MFA_TOTP_TOLERANCE": 1,  # a clock may be half a minute off
        # Browsers let WebAuthn run on http://localhost, which the library refuses unless told.
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": not config.is_deployed,
        "MFA_RATE_LIMITS": False,
    }


def _providers(config: GatewayConfig) -> dict[str, Any]:
    found: dict[str, Any] = {
        "SOCIALACCOUNT_ADAPTER": f"{_PACKAGE}.adapters.ProviderAdapter",
        "SOCIALACCOUNT_PROVIDERS": {},
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_EMAIL_VERIFICATION": "none",
    }
    if config.staff_oidc_issuer is not None:
        application = {
            "provider_id": STAFF_PROVIDER,
            "name": urlsplit(config.staff_oidc_issuer).hostname or "OpenID",
            "client_id": config.staff_oidc_client_id,
            "secret": str(config.staff_oidc_client_secret or ""),
            "settings": {"server_url": str(config.staff_oidc_issuer), "oauth_pkce_enabled": True},
        }
        found["SOCIALACCOUNT_PROVIDERS"] = {"openid_connect": {"APPS": [application]}}
    return found
