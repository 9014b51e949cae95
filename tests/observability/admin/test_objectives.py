"""A route's page says what is left of its budgets."""

import pytest

from routing.models import Route
from tests.observability.slo.test_standing import published
from tests.support.adminpages import page, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_on_the_page_of_the_route() -> None:
    """And on no other."""
    published()
    client = signed_in()
    for name, is_there in (("orders", True), ("other", False)):
        text = client.get(page("route", "change", Route.objects.get(name=name).pk)).content.decode()
        assert ("Objective: availability 99 % over 30 days: no request yet" in text) is is_there
