"""What allauth is told, under different environments."""

from typing import Any

import pytest

from gateway_project.config import load_config
from gateway_project.signin.options import STAFF_PROVIDER, allauth_settings

SECRET = "k3Jx-9vQ2_pLw8ZrT5nYb7Hd"


def told(tmp_path: Any, **environ: str) -> dict[str, Any]:
    return allauth_settings(load_config({"VAR_DIR": str(tmp_path), "SECRET_KEY": SECRET, **environ}))


def test_without_a_provider_there_is_none(tmp_path: Any) -> None:
    """Nobody signs in through somebody that no variable names."""
    assert told(tmp_path)["SOCIALACCOUNT_PROVIDERS"] == {}


def test_provider_is_what_the_environment_says(tmp_path: Any) -> None:
    """With PKCE (RFC 7636), and called by its host's name."""
    settings = told(
        tmp_path,
        STAFF_OIDC_ISSUER="https://id.example.com/realm",
        STAFF_OIDC_CLIENT_ID="torana",
        STAFF_OIDC_CLIENT_SECRET="s3cret",
    )
    [application] = settings["SOCIALACCOUNT_PROVIDERS"]["openid_connect"]["APPS"]

    assert application == {
        "provider_id": STAFF_PROVIDER,
        "name": "id.example.com",
        "client_id": "torana",
        "secret": "s3cret",
        "settings": {"server_url": "https://id.example.com/realm", "oauth_pkce_enabled": True},
    }


@pytest.mark.parametrize(("environment", "is_open"), [("development", True), ("production", False)])
def test_security_keys_want_https_where_browsers_come_over_it(
    tmp_path: Any, environment: str, is_open: bool
) -> None:
    """Only a developer's http://localhost goes without."""
    assert told(tmp_path, ENVIRONMENT=environment)["MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"] is is_open


def test_codes_are_never_bypassed(tmp_path: Any) -> None:
    """No setting that the library has for tests is on."""
    assert not any("BYPASS" in name for name in told(tmp_path))
