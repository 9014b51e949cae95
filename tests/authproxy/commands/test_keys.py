"""`gateway keys`: rotation and listing from the command line."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from authproxy import signingkeys
from authproxy.models import SigningKey
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _own_keys() -> Iterator[None]:
    signingkeys.shared.cache_clear()
    yield
    signingkeys.shared.cache_clear()


def test_rotate_and_list() -> None:
    """The new key is named with the time from which it signs; the list shows what each does."""
    assert gateway("keys", "list").out == "no key was made by rotation yet\n"

    done = gateway("keys", "rotate")
    kid = SigningKey.objects.get().kid

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"key {kid} (HS256) signs from 2")
    assert f"{kid}  HS256  next" in gateway("keys", "list").out


def test_programs_get_json() -> None:
    """Both print what a row is; neither prints the key."""
    made = gateway("keys", "rotate", "--json").data

    assert gateway("keys", "list", "--json").data == [made]
    assert set(made) == {"kid", "algorithm", "state", "created_at", "activates_at", "retires_at"}


def test_rotation_is_refused_while_the_secret_is_fixed(settings: Any) -> None:
    """With the reason, and nothing changed."""
    settings.CONFIG = replace(settings.CONFIG, jwt_secret_given=True)
    done = gateway("keys", "rotate")

    assert (done.code, done.out) == (1, "")
    assert "JWT_SECRET fixes the signing key" in done.err
    assert not SigningKey.objects.exists()
