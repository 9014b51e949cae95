"""Orders about services that are not there are refused, with the one that may have been meant."""

import pytest

from routing.models import Service
from routing.ordering import OrderRefused, require_service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("name", "why"),
    [("shpo", 'there is no service "shpo" (did you mean "shop"?)'), ("sh\0p", "there is no service")],
)
def test_unknown_services(name: str, why: str) -> None:
    """The field says so to programs."""
    Service.objects.create(name="shop")
    require_service("shop")
    with pytest.raises(OrderRefused) as refused:
        require_service(name)
    assert refused.value.field == "service"
    assert why in str(refused.value)
