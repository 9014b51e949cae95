"""Tokens judged by given keys at a given time."""

import pytest

from authproxy import jws
from authproxy.identity import Identity
from authproxy.signatures import secret_key
from authproxy.tokens import TokenRefusal, is_signed_by, judge_own, judge_provided
from tests.support.jose import ISSUER, NOW, SECRET, claims, provider, token

RIGHT = secret_key(SECRET, "HS256")
WRONG = secret_key("another secret", "HS256")


def test_any_of_the_keys_will_do() -> None:
    """Old and new keys verify side by side."""
    parsed = jws.parse(token())

    assert is_signed_by(parsed, (WRONG, RIGHT))
    assert not is_signed_by(parsed, (WRONG,))
    assert not is_signed_by(parsed, ())


def test_own_token() -> None:
    """Right keys and right claims make an identity."""
    identity = judge_own(jws.parse(token()), (RIGHT,), issuer=ISSUER, now=NOW)

    assert isinstance(identity, Identity)
    assert identity.user_id == "7"


@pytest.mark.parametrize(
    ("key", "exp", "refusal"),
    [
        (RIGHT, NOW - 1, TokenRefusal("expired", "expired")),
        (WRONG, NOW - 1, TokenRefusal("invalid", "bad_signature")),
        (WRONG, NOW + 1, TokenRefusal("invalid", "bad_signature")),
        (RIGHT, None, TokenRefusal("invalid", "no_expiry")),
    ],
)
def test_only_a_right_signature_is_called_expired(
    key: object, exp: float | None, refusal: TokenRefusal
) -> None:
    """What is not signed is not believed in this either."""
    said = jws.parse(token(claims(exp=exp)))

    assert judge_own(said, (key,), issuer=ISSUER, now=NOW) == refusal  # type: ignore[arg-type]


def test_providers_token() -> None:
    """Its claims, once somebody has found its key."""
    by = provider()
    fine = jws.parse(token(claims(iss="https://idp.test")))
    late = jws.parse(token(claims(iss="https://idp.test", exp=NOW - 99)))
    wrong = jws.parse(token(claims(iss="https://other.test")))

    identity = judge_provided(fine, by, issuers=by.issuers, now=NOW)
    assert isinstance(identity, Identity)
    assert identity.consumer == "idp:7"
    assert judge_provided(late, by, issuers=by.issuers, now=NOW) == ("expired", "expired")
    assert judge_provided(wrong, by, issuers=by.issuers, now=NOW) == ("invalid", "wrong_issuer")
