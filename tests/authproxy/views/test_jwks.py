"""The public keys."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest

from authproxy import signingkeys
from authproxy.models import SigningKey
from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]
JWKS = "/.well-known/jwks.json"


@pytest.fixture(autouse=True)
def _own_keys() -> Iterator[None]:
    signingkeys.shared.cache_clear()
    yield
    signingkeys.shared.cache_clear()


def test_shared_secrets_are_not_shown() -> None:
    """With an HS algorithm there is nothing public."""
    answer = Endpoints().ask(JWKS)

    assert (answer.status_code, answer.json()) == (200, {"keys": []})
    assert answer["Cache-Control"] == "public, max-age=10"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_anybody_verifies_with_them(settings: Any, algorithm: str) -> None:
    """A token of a sign-in, by another library; after a rotation both keys are there."""
    settings.CONFIG = replace(settings.CONFIG, jwt_algorithm=algorithm)
    account("ada")
    token = Endpoints().signed_in("ada")["access"]
    keys = jwt.PyJWKSet.from_dict(Endpoints().ask(JWKS).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]

    assert jwt.decode(token, key, algorithms=[algorithm])["name"] == "ada"
    signingkeys.shared().rotate()
    shown = Endpoints().ask(JWKS).json()["keys"]
    assert {each["kid"] for each in shown} == set(SigningKey.objects.values_list("kid", flat=True))
    assert len(shown) == 2
