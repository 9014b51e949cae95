"""Secrets of second factors in the database."""

import base64

import pytest
from django.test import override_settings

from gateway_project.signin.sealing import seal, unseal

SECRET = "JBSWY3DPEHPK3PXP"


def test_sealed_secret_is_the_same_again() -> None:
    """And cannot be read from what is stored, which never looks the same."""
    assert unseal(seal(SECRET)) == SECRET
    assert SECRET not in seal(SECRET)
    assert seal(SECRET) != seal(SECRET)


@pytest.mark.parametrize("sealed", ["", "rubbish", SECRET, "gAAAAABk" + "A" * 80])
def test_what_cannot_be_opened_fits_no_code(sealed: str) -> None:
    """It becomes a secret that is made up anew each time: codes must not be computable from nothing."""
    assert len(base64.b32decode(unseal(sealed))) == 20
    assert unseal(sealed) != unseal(sealed)


def test_another_secret_key_opens_nothing() -> None:
    """Whoever changes SECRET_KEY loses second factors, and nobody passes without one for it."""
    with override_settings(SECRET_KEY="another one, long enough to be taken"):
        sealed = seal(SECRET)
    assert unseal(sealed) != SECRET
