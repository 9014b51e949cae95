"""Who may read what is kept of requests."""

import pytest
from django.contrib.auth.models import User

from tests.support.endpoints import PASSWORD, Endpoints

pytestmark = pytest.mark.django_db


def test_staff_without_the_permission_may_not() -> None:
    """Nor may somebody who is no staff at all."""
    for name, is_staff in (("clerk", True), ("carla", False)):
        User.objects.create_user(name, password=PASSWORD, is_staff=is_staff)
        client = Endpoints()
        token = str(client.signed_in(name)["access"])
        answer = client.ask("/control/v1/requests", token=token)
        assert answer.status_code == 403, name
        assert ("observability.view_keptrequest" in answer.json()["error"]["message"]) is is_staff
