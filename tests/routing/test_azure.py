"""Azure AD from its two variables."""

import pytest

from routing.azure import azure_providers

TENANT = "11111111-2222-3333-4444-555555555555"


def test_both_versions_of_access_tokens_are_accepted() -> None:
    """Issued by the authority or by sts.windows.net, for the client or for its application URI."""
    [azure] = azure_providers(TENANT, "client", authority="https://login.microsoftonline.com/")

    assert azure.issuers == {
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
    }
    assert azure.audiences == {"client", "api://client"}
    assert azure.discovery_url == (
        f"https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration"
    )
    assert (azure.subject_claim, azure.scopes_claim, azure.secret) == ("oid", "scp", None)


def test_a_tenant_may_be_given_in_capitals() -> None:
    """Tokens have it in small letters."""
    tenant = "AAAAAAAA-2222-3333-4444-555555555555"
    [azure] = azure_providers(tenant, "client", authority="https://a")

    assert azure.issuers == {
        f"https://a/{tenant.lower()}/v2.0",
        f"https://sts.windows.net/{tenant.lower()}/",
    }


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "contoso.example", f"{TENANT}0"])
def test_a_domain_leaves_the_issuers_to_be_found(tenant: str) -> None:
    """Its tokens name a GUID, which the OpenID configuration of each version tells."""
    found = azure_providers(tenant, "client", authority="https://a")

    assert [(each.name, each.issuers, each.discovery_url) for each in found] == [
        ("azure", frozenset(), f"https://a/{tenant}/v2.0/.well-known/openid-configuration"),
        ("azure", frozenset(), f"https://a/{tenant}/.well-known/openid-configuration"),
    ]


def test_without_one_of_the_variables_there_is_none() -> None:
    """Half of it says nothing."""
    assert azure_providers(None, "client", authority="https://a") == ()
    assert azure_providers(TENANT, None, authority="https://a") == ()
