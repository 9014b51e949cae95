"""`GET /control/v1/slo`: who may look, and what is told."""

import pytest

from tests.observability.slo.test_standing import published
from tests.realtime.views.test_sockets import token
from tests.support.endpoints import Endpoints

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
SLO = "/control/v1/slo"


def test_staff_sees_objectives() -> None:
    """All of them, or those of one route."""
    published()
    client = Endpoints()
    anna = token(client, "anna")
    found = client.ask(SLO, token=anna).json()["objectives"]
    assert [(each["route"], each["objective"], each["target"]) for each in found] == [
        ("orders", "availability", 0.99),
        ("orders", "latency", 0.9),
    ]
    assert client.ask(f"{SLO}?route=other", token=anna).json()["objectives"] == []
    assert client.ask(SLO).status_code == 401
    assert client.ask(SLO, token=token(client, "bert", staff=False)).status_code == 403
