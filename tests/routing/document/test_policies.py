"""Quotas, plans, roles and identity providers as specifications."""

import pytest
from pydantic_core import PydanticCustomError

from routing.document.policies import (
    IdentityProviderSpec,
    PlanSpec,
    QuotaSpec,
    RoleSpec,
    parse_period,
    parse_quota_key,
)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("consumer", ("consumer",)),
        ({"header": "x-tenant"}, ("header:x-tenant",)),
        (["ip", {"header": "x-a"}], ("ip", "header:x-a")),
    ],
)
def test_quota_keys(written: object, keys: tuple[str, ...]) -> None:
    """One key or a list of them."""
    assert parse_quota_key(written) == keys


@pytest.mark.parametrize("written", ["consumers", [], {"header": 5}, None, [["ip"]]])
def test_quota_keys_that_are_none(written: object) -> None:
    """A list must name something that can be counted by."""
    with pytest.raises(PydanticCustomError):
        parse_quota_key(written)


def test_periods() -> None:
    """Durations in seconds, or a calendar unit by name."""
    assert [parse_period(text) for text in ("1s", "day", "month")] == [1.0, "day", "month"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("minute", '"minute" is not a period; say "1m"'),
        ("days", '"days" is not a period (did you mean "day"?)'),
        (60, 'such as "60s"'),
        ("1x", "is not a duration"),
    ],
)
def test_periods_that_are_none(written: object, message: str) -> None:
    """Words that people try lead to what they mean."""
    with pytest.raises(PydanticCustomError) as caught:
        parse_period(written)

    assert message in str(caught.value)


def test_everything_that_the_contract_shows() -> None:
    """Every section in the spelling of the contract."""
    quota = QuotaSpec.model_validate(
        {
            "name": "default",
            "algorithm": "token_bucket",
            "limit": 10,
            "per": "1s",
            "burst": 20,
            "methods": ["GET"],
        }
    )
    plan = PlanSpec.model_validate(
        {"name": "gold", "quotas": [{"name": "default", "limit": 100, "per": "day"}]}
    )
    role = RoleSpec.model_validate({"name": "an analyst", "scopes": ["read"], "default": False})
    provider = IdentityProviderSpec.model_validate(
        {
            "name": "azure",
            "issuer": "i",
            "audience": "a",
            "jwks_url": "https://a/jwks",
            "secret": "x",
            "cookie": "access_token",
            "algorithms": ["RS256"],
            "claims": {"subject": "oid", "roles": "roles", "scopes": "scp"},
        }
    )

    assert (quota.key, quota.on_store_failure) == (("consumer",), "local")
    assert plan.quotas[0].per == "day"
    assert role.scopes == ("read",)
    assert (provider.claims.subject, provider.claims.scopes) == ("oid", "scp")
