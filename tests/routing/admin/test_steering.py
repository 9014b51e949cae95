"""What pages of operators share."""

from datetime import UTC, datetime

import pytest
from django.test import RequestFactory

from routing.admin.steering import by, may_operate, moment
from tests.support.rights import KINDS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("operates", [True, False])
def test_who_may_act(operates: bool) -> None:
    """Whoever has the permission; histories name the account."""
    from django.contrib.auth.models import Permission, User

    user = User.objects.create_user(KINDS["O"], is_staff=True)
    if operates:
        user.user_permissions.add(
            Permission.objects.get(codename="operate", content_type__app_label="routing")
        )
    request = RequestFactory().get("/admin/")
    request.user = user
    assert may_operate(request) is operates
    assert by(request) == "operator"


def test_moments() -> None:
    """None is a dash."""
    assert moment(None) == "–"
    assert "2030" in moment(datetime(2030, 1, 2, tzinfo=UTC))
