"""Tokens that the services which get them cannot verify."""

from typing import Any

import pytest

from routing.document.token_rules import check_forwarded_token, check_token
from tests.support.documents import lines

TOKEN = {"name": "orders", "service": "orders", "forward_identity": "token"}
ROUTE = (
    'W010 forward_identity: route "orders" sends its service a token that only the gateway\'s secret verifies, '
    "since JWT_ALGORITHM is HS256; set it to ES256, RS256 or EdDSA, whose public keys are published"
)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA", None])
def test_public_keys_verify_tokens(algorithm: str | None) -> None:
    """And of an algorithm that is not known, nothing is said."""
    assert lines(check_forwarded_token(TOKEN, None, jwt_algorithm=algorithm)) == []


@pytest.mark.parametrize(
    ("entry", "defaults", "found"),
    [
        (TOKEN, None, [ROUTE]),
        (TOKEN, {"forward_identity": "headers"}, [ROUTE]),
        (TOKEN, {"forward_identity": "token"}, []),
        (TOKEN | {"respond": {"status": 200}}, None, []),
        (TOKEN | {"forward_identity": "headers"}, None, []),
        (TOKEN | {"forward_identity": ["token"]}, None, []),
        ({}, None, []),
    ],
)
def test_a_secret_verifies_no_tokens_for_others(entry: Any, defaults: Any, found: list[str]) -> None:
    """Only of routes that have a service to tell, and once where the defaults say it for all of them."""
    assert lines(check_forwarded_token(entry, defaults, jwt_algorithm="HS256")) == found


def test_the_defaults_speak_of_all_routes() -> None:
    """They have no name."""
    [line] = lines(check_token("token", "routes send their services", "HS256"))

    assert line.startswith("W010 forward_identity: routes send their services a token that only")
