"""What the keys of an identity provider, and those of a quota, must be to each other."""

from typing import Any

import pytest

from routing.document.interpolation import fill
from routing.document.policy_rules import check_provider_rules, check_quota_rules
from routing.validation import check_document
from tests.support.documents import lines

BELIEVED = {"issuer": "https://a", "audience": "api"}


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({**BELIEVED, "jwks_url": "https://a"}, []),
        ({**BELIEVED, "jwks_url": "http://localhost:1/a"}, []),
        ({**BELIEVED, "discovery_url": "http://[::1]:1/a"}, []),
        ({"audience": "a", "discovery_url": "https://a"}, []),
        ({"jwks_url": "https://a"}, ["W008 audience: is missing", "W008 issuer: is missing"]),
        (
            {**BELIEVED, "jwks_url": "http://a.test"},
            ['W007 jwks_url: "http://a.test": whoever is on the way'],
        ),
        ({**BELIEVED, "discovery_url": "http://[a"}, ["W007 discovery_url"]),
        ({**BELIEVED, "jwks_url": "https://a", "secret": "${S}"}, ["W005 secret: has no effect"]),
        ({**BELIEVED, "jwks_url": "https://a", "algorithms": []}, ["E036 algorithms: needs at least one"]),
        (
            {**BELIEVED, "jwks_url": "https://a", "algorithms": ["ES256", "ES256"]},
            ['E032 algorithms[1]: "ES256" is there twice'],
        ),
        ({**BELIEVED, "jwks_url": "https://a", "cookie": "access_token"}, []),
        ({**BELIEVED, "jwks_url": "https://a", "cookie": "a b"}, ['E038 cookie: "a b" is not a cookie']),
        (
            {**BELIEVED, "jwks_url": "https://a", "cookie": "torana_session"},
            ['E038 cookie: "torana_session" is a name that the gateway keeps'],
        ),
        ({"secret": "${S}"}, ["E036 algorithms: a secret verifies HS algorithms only"]),
        (
            {"secret": "${S}", "jwks_url": "https://a", "algorithms": ["HS256"]},
            ["W005 jwks_url: has no effect"],
        ),
        ({"secret": "${S}", "algorithms": ["HS256"]}, []),
        ({"secret": "/run/secrets/${SHORT}", "algorithms": ["HS256"]}, []),
        ({"secret": "${SHORT}", "algorithms": ["HS256"]}, ["W009 secret: is shorter than 32 characters"]),
        ({"secret": "hunter2", "algorithms": ["HS256"]}, ["E026 secret: a secret is not written out"]),
        ({"algorithms": ["RS256"]}, ["E036 needs jwks_url, discovery_url or secret to verify tokens with"]),
        ({"jwks_url": "https://a", "algorithms": ["HS256"]}, ["E036 secret: is missing: HS algorithms"]),
        (
            {"secret": "${S}", "algorithms": ["HS256", "RS256"]},
            ["E022 algorithms: HS and public-key algorithms"],
        ),
        ({**BELIEVED, "jwks_url": 5, "algorithms": "HS256", "cookie": 5}, []),
    ],
)
def test_keys_of_a_provider(raw: dict[str, Any], found: list[str]) -> None:
    """Keys come from somewhere, and a public key is never taken for a shared secret."""
    reported = lines(check_provider_rules(fill(raw, {"S": "x" * 32, "SHORT": "hunter2"}).value))

    assert len(reported) == len(found)
    assert all(line.startswith(start) for line, start in zip(reported, found, strict=True))


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"burst": 3}, []),
        ({"burst": 3, "algorithm": "token_bucket", "per": "1s"}, []),
        ({"algorithm": "sliding_window", "per": "day"}, []),
        ({"burst": None, "algorithm": "fixed_window"}, []),
        (
            {"burst": 3, "algorithm": "sliding_window"},
            ["E022 burst: is of a token bucket; algorithm is sliding_window"],
        ),
        (
            {"burst": 3, "algorithm": "fixed_window", "per": "1h"},
            ["E022 burst: is of a token bucket; algorithm is fixed_window"],
        ),
        ({"burst": 3, "per": "day"}, ["E022 burst: is of a token bucket; per: day is a fixed window"]),
        ({"burst": [], "algorithm": [], "per": {}}, []),
    ],
)
def test_only_a_token_bucket_has_a_burst(raw: dict[str, Any], found: list[str]) -> None:
    """It would be ignored silently."""
    assert lines(check_quota_rules(raw)) == found


def test_a_burst_of_a_window_is_refused_in_a_document() -> None:
    """At its place."""
    entry = {"name": "q", "limit": 1, "per": "1m", "burst": 2, "algorithm": "fixed_window"}
    problems = check_document(
        {"version": 1, "quotas": [{"name": "a", "limit": 1, "per": "1m"}, entry]}, env={}
    ).problems
    assert [(each.id, each.path) for each in problems] == [("gateway.E022", "quotas[1].burst")]
