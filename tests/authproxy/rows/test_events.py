"""Security events, newest first."""

from datetime import UTC, datetime

import pytest

from authproxy.models import SecurityEvent

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_the_newest_comes_first() -> None:
    """Of one moment, the one that was written last."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    for subject in ("a", "b"):
        SecurityEvent.objects.create(kind="login", at=at, subject=subject)
    SecurityEvent.objects.create(kind="logout", at=datetime(2029, 1, 1, tzinfo=UTC))
    assert list(map(str, SecurityEvent.objects.all())) == ["login b", "login a", "logout"]
