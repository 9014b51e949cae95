"""News is told when there is something to see, and a change does not fail for lack of who tells it."""

import pytest
from django.db import transaction

from routing.notify import announce, bind_redis, bound_redis

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_a_change_does_not_fail_for_lack_of_redis() -> None:
    """Polling finds it."""
    bind_redis("redis://127.0.0.1:1/0")
    try:
        assert bound_redis() == "redis://127.0.0.1:1/0"
        with transaction.atomic():
            announce(1)
    finally:
        bind_redis(None)
