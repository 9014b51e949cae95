"""Registrations on whole gateways: one address cannot ask for accounts without end."""

import pytest

from tests.support.clients import PASSWORD, post, refusal
from tests.support.gateway import Answer, document
from tests.support.process import Running, Site

pytestmark = pytest.mark.store

ALLOWED = 20


async def register(running: Running, name: str, address: str) -> Answer:
    wanted = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    return await post(running, "/api/auth/register", wanted, f"X-Forwarded-For: {address}")


async def test_an_address_that_registers_on_and_on(site: Site) -> None:
    """Two gateways on one database count together, by /64, and others register meanwhile."""
    await site.apply(document())
    behind_proxy = {"TRUSTED_PROXIES": "127.0.0.1"}
    async with site.serving(**behind_proxy) as one, site.serving(**behind_proxy) as other:
        made = [
            (await register((one, other)[number % 2], f"user{number}", f"2001:db8::{number + 1:x}")).status
            for number in range(ALLOWED)
        ]
        free = await register(one, "another", "2001:db8::ffff:1")
        taken = await register(other, "user1", "2001:db8::1")
        elsewhere = await register(one, "another", "2001:db8:0:1::1")

    assert made == [201] * ALLOWED
    for refused in (free, taken):
        assert refusal(refused)[:2] == (429, "RATE_LIMIT")
        assert 1 <= int(refused.values("retry-after")[0]) <= 10
    assert elsewhere.status == 201
