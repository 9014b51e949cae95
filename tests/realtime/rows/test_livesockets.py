"""Rows of live connections."""

import pytest
from django.db import IntegrityError, transaction

from realtime.models import LiveSocket, SocketEnding
from tests.support.livesockets import live

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_one_row_for_each_of_a_workers_connections() -> None:
    """They are shown by who and where, the latest first."""
    first, last = live(1), live(2, age_s=1, user="")
    assert [str(row) for row in LiveSocket.objects.all()] == ["192.0.2.1 on live", "ada on live"]
    assert list(LiveSocket.objects.all()) == [last, first]
    with pytest.raises(IntegrityError), transaction.atomic():
        live(1)
    assert str(SocketEnding(what="all connections")) == "all connections"
