"""Signatures as the Standard Webhooks specification has them."""

import pytest

from observability.alerts.signing import fields, key_of, new_secret


def test_the_specifications_own_example() -> None:
    """Secret, id, time and body as in its reference libraries' tests."""
    found = fields(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_secrets() -> None:
    """With or without their prefix; too short, too long and no base64 are refused."""
    secret = new_secret(b"k" * 32)
    assert key_of(secret) == key_of(secret.removeprefix("whsec_")) == b"k" * 32
    for bad in ("", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "whsec_" + "QUFB" * 30):
        with pytest.raises(ValueError, match="24 to 64 bytes"):
            key_of(bad)
