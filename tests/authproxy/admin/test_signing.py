"""The page of signing keys: what each does, and rotating them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from authproxy import signingkeys
from authproxy.models import SigningKey
from authproxy.signingkeys import KeyPolicy
from tests.support.accesspages import Heard, access, dialog
from tests.support.adminpages import messages, signed_in, viewer

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/signingkey/"


@pytest.fixture
def admin() -> Client:
    return signed_in()


def test_rotation_makes_the_next_key(admin: Client) -> None:
    """Opening the dialog makes none. The key itself is shown nowhere."""
    with Heard() as heard:
        dialog(admin, access("signingkey", "rotate"))
    row = SigningKey.objects.get()
    assert heard.told() == [("keys_rotated", "anna", row.kid)]
    assert LogEntry.objects.get().object_id == str(row.pk)
    for page in (LIST, access("signingkey", "change", row.pk)):
        text = admin.get(page).content.decode()
        assert row.kid in text
        assert "next" in text
        assert bytes(row.sealed).decode() not in text


def test_fixed_key_says_so_and_is_not_rotated(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is told before and after."""
    fixed = KeyPolicy(algorithm="HS256", secret="x" * 32, is_fixed=True, longest_s=60.0)

    class Fixed:
        def rotate(self, **_: object) -> None:
            raise signingkeys.RotationRefused(signingkeys.FIXED)

    monkeypatch.setattr(KeyPolicy, "of", lambda _config: fixed)
    monkeypatch.setattr(signingkeys, "shared", Fixed)
    assert "fixes the signing key (HS256)" in admin.get(LIST).content.decode()
    response = admin.post(access("signingkey", "rotate"), {"_form_submitted": "True"}, follow=True)
    [told] = messages(response)
    assert "JWT_SECRET fixes the signing key" in told
    assert not SigningKey.objects.exists()


def test_page_says_what_signs_before_the_first_rotation(admin: Client) -> None:
    """An empty list alone would look like no key at all."""
    assert "derived from" in admin.get(LIST).content.decode()


def test_viewer_sees_keys_and_rotates_none() -> None:
    """By no path."""
    client = viewer()
    text = client.get(LIST).content.decode()
    assert "Rotate" not in text
    assert client.post(access("signingkey", "rotate"), {"_form_submitted": "True"}).status_code == 403
    assert not SigningKey.objects.exists()
