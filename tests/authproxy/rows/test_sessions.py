"""Sessions and refresh tokens go with their account."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from authproxy.models import RefreshToken, Session

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_deleted_account_leaves_no_session() -> None:
    """Nor a refresh token."""
    later = timezone.now() + timedelta(days=1)
    user = User.objects.create_user("anna")
    session = Session.objects.create(user=user, digest=b"s" * 32, expires_at=later)
    token = RefreshToken.objects.create(session=session, digest=b"t" * 32, expires_at=later)
    assert str(session).startswith("anna since 20")
    assert str(token) == f"refresh token of {session}"
    user.delete()
    assert not Session.objects.exists()
    assert not RefreshToken.objects.exists()


def test_hashes_are_unique() -> None:
    """Two sessions with one cookie cannot be."""
    later = timezone.now() + timedelta(days=1)
    user = User.objects.create_user("anna")
    Session.objects.create(user=user, digest=b"s" * 32, expires_at=later)
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.create(user=user, digest=b"s" * 32, expires_at=later)
