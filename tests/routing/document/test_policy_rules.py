"""What the keys of an identity provider must be to each other."""

from typing import Any

import pytest

from routing.document.interpolation import fill
from routing.document.policy_rules import check_provider_rules
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"jwks_url": "https://a"}, []),
        ({"secret": "${S}", "algorithms": ["HS256"]}, []),
        ({"secret": "hunter2"}, ["E026 secret: a secret is not written out"]),
        ({}, ["E036 needs jwks_url, discovery_url or secret to verify tokens with"]),
        ({"jwks_url": "https://a", "algorithms": ["HS256"]}, ["E036 secret: is missing: HS algorithms"]),
        (
            {"secret": "${S}", "algorithms": ["HS256", "RS256"]},
            ["E022 algorithms: HS and public-key algorithms"],
        ),
        ({"jwks_url": 5, "algorithms": "HS256"}, []),
    ],
)
def test_keys_of_a_provider(raw: dict[str, Any], found: list[str]) -> None:
    """Keys come from somewhere, and a public key is never taken for a shared secret."""
    reported = lines(check_provider_rules(fill(raw, {"S": "x"}).value))

    assert len(reported) == len(found)
    assert all(line.startswith(start) for line, start in zip(reported, found, strict=True))
