"""Filters: what they offer. What they find is tested with the lists that have them."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.accesspages import a_consumer, listed
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/authproxy/consumer/"


@pytest.fixture
def admin() -> Client:
    return signed_in()


def test_plans_are_those_of_the_live_configuration(admin: Client) -> None:
    """And none."""
    apply_document({"version": 1, "plans": [{"name": "gold"}]}, actor=Actor("test"))
    Group.objects.create(name="analyst")
    text = admin.get(LIST).content.decode()
    for offered in ('value="gold"', 'value="-"', 'value="analyst"'):
        assert offered in text


@pytest.mark.parametrize(
    "query", ["state=neither", "plan=unheard-of", "role=unheard-of", "kind__exact=x", "p=0"]
)
def test_value_that_nobody_offered_is_no_error(admin: Client, query: str) -> None:
    """It finds all or nothing."""
    a_consumer()
    assert len(listed(admin, LIST, query)) <= 1
