"""P: Azure AD (Microsoft Entra ID) as an identity provider, from a tenant and a client.

Access tokens come in two versions, by the manifest of the application: 1.0 is issued by sts.windows.net for
`api://CLIENT`, 2.0 by the authority for the client itself. Both name the tenant by its id, a GUID. Where the tenant
is given by its domain, each version's OpenID configuration says who issues. The keys are published with it; `oid` is
the caller's id everywhere in the tenant, unlike `sub`.
"""

import re
from typing import Final

from routing.snapshot import CompiledProvider

NAME: Final = "azure"
MANY_TENANTS: Final = frozenset({"common", "organizations", "consumers"})
"""Authorities for whoever has an account: what they publish names no issuer of their own."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def azure_providers(
    tenant_id: str | None, client_id: str | None, *, authority: str
) -> tuple[CompiledProvider, ...]:
    """The provider, or none where one of the two ids is missing. `authority` is a URL of a host.

    A domain makes two of one name: one for each version of tokens.
    """
    if not tenant_id or not client_id:
        return ()
    first = f"{authority.rstrip('/')}/{tenant_id}"
    second = f"{first}/v2.0"
    if _GUID.fullmatch(tenant_id):
        tenant = tenant_id.lower()
        issuers = frozenset([f"{authority.rstrip('/')}/{tenant}/v2.0", f"https://sts.windows.net/{tenant}/"])
        return (_provider(client_id, issuers, second),)
    return tuple(_provider(client_id, frozenset(), address) for address in (second, first))


def _provider(client_id: str, issuers: frozenset[str], address: str) -> CompiledProvider:
    """Without issuers, the one that is found at the address counts."""
    return CompiledProvider(
        name=NAME,
        issuers=issuers,
        audiences=frozenset([client_id, f"api://{client_id}"]),
        jwks_url=None,
        discovery_url=f"{address}/.well-known/openid-configuration",
        secret=None,
        cookie=None,
        algorithms=frozenset(["RS256"]),
        subject_claim="oid",
        name_claim="preferred_username",
        email_claim="email",
        roles_claim="roles",
        scopes_claim="scp",
    )
