"""Azure AD from its two variables, with a real OpenID provider in the place of Microsoft's."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.support import oidc
from tests.support.gateway import document, route
from tests.support.oidcserver import CLIENT_ID
from tests.support.process import Site
from tests.support.telling import tell
from tests.support.upstreams import ScriptedUpstream

TENANT = "5e1f0000-2222-3333-4444-555555555555"
DOMAIN = "contoso.onmicrosoft.test"
MOUNT = f"{TENANT}/v2.0"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with oidc.process(tmp_path_factory.mktemp("azure"), mount=MOUNT) as found:
        yield found


async def test_azure_by_two_variables(port: int, site: Site) -> None:
    """A whole gateway: it finds the keys by the tenant's OpenID configuration and reads Azure's own claims."""
    closed = {"level": "user", "scopes": ["read"]}
    async with oidc.reached(port, mount=MOUNT) as azure, ScriptedUpstream(tell) as upstream:
        await site.apply(
            document(route(service="teller", path="/", auth=closed), services={"teller": upstream.url})
        )
        token = await azure.id_token()
        variables = {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_AUTHORITY_HOST": azure.url,
        }
        async with site.serving(**variables) as running:
            accepted = await running.get("/", f"Authorization: Bearer {token}")
            forged = await running.get("/", f"Authorization: Bearer {token[:-8]}AAAAAAAA")
            log = running.text

    told = orjson.loads(accepted.body)
    assert (accepted.status, told["x-user-id"], told["x-user-name"]) == (200, "object-1", "ann")
    assert (told["x-consumer"], told["x-user-roles"]) == ("azure:object-1", "analyst")
    assert set(told["x-user-scopes"].split()) == {"openid", "read"}
    assert (forged.status, orjson.loads(forged.body)["error"]["code"]) == (401, "AUTH_ERROR")
    assert token[:20] not in log
    assert azure.url not in log


async def test_a_tenant_by_its_domain(site: Site, tmp_path: Path) -> None:
    """Tokens name the tenant's id, which the gateway learns from the OpenID configuration of either version."""
    first, second = f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.test/{TENANT}/v2.0"
    (folder := tmp_path / "provider").mkdir()
    with oidc.process(folder, mount=f"{DOMAIN}/v2.0") as port:
        async with oidc.reached(port, mount=f"{DOMAIN}/v2.0") as azure, ScriptedUpstream(tell) as upstream:
            await site.apply(
                document(route(service="teller", path="/", auth={}), services={"teller": upstream.url})
            )
            for version, issuer in (("", first), ("/v2.0", second)):
                path = f"/{DOMAIN}{version}/.well-known/openid-configuration"
                await azure.control("issuer", path=path, uri=issuer)
            tokens = [await azure.id_token()]
            for issuer in (first, second):
                await azure.control("issuer", path="", uri=issuer)
                tokens.append(await azure.id_token())
            variables = {
                "AZURE_TENANT_ID": DOMAIN,
                "AZURE_CLIENT_ID": CLIENT_ID,
                "AZURE_AUTHORITY_HOST": azure.url,
            }
            async with site.serving(**variables) as running:
                answers = [await running.get("/", f"Authorization: Bearer {token}") for token in tokens]

    assert [answer.status for answer in answers] == [401, 200, 200]
    assert {orjson.loads(answer.body)["x-consumer"] for answer in answers[1:]} == {"azure:object-1"}
