"""The keys on a consumer's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.accesspages import a_consumer, a_key, access
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize("size", [2, 50])
def test_twenty_keys_are_shown_at_once(size: int) -> None:
    """Newest first, linked to their pages, in as many queries for any number."""
    consumer = a_consumer()
    keys = [a_key(consumer, f"key{number}") for number in range(size)]
    client = signed_in()
    client.get(access("consumer", "change", consumer.pk))
    with CaptureQueriesContext(connection) as queries:
        text = client.get(access("consumer", "change", consumer.pk)).content.decode()
    shown = [key for key in keys if access("apikey", "change", key.pk) in text]
    assert shown == keys[-20:]
    assert len(queries) <= 30, [query["sql"][:100] for query in queries]
