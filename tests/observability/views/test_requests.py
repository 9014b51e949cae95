"""`/control/v1/requests`."""

import pytest
from django.contrib.auth.models import User

from tests.support.endpoints import PASSWORD, Endpoints
from tests.support.kept import kept, refused

pytestmark = pytest.mark.django_db


def staff() -> tuple[Endpoints, str]:
    User.objects.create_superuser("root", password=PASSWORD)
    client = Endpoints()
    return client, str(client.signed_in("root")["access"])


def test_pages_of_requests() -> None:
    """`next` leads to the older ones."""
    for number in range(3):
        kept(f"/{number}").save()
    client, token = staff()
    first = client.ask("/control/v1/requests?limit=2", token=token).json()
    second = client.ask(f"/control/v1/requests?limit=2&cursor={first['next']}", token=token).json()

    assert [each["path"] for each in first["requests"]] == ["/2", "/1"]
    assert ([each["path"] for each in second["requests"]], second["next"]) == (["/0"], None)


def test_what_is_asked_wrongly_is_told_by_field() -> None:
    """400, without a trace of the database."""
    client, token = staff()
    wrong = {"status": "9xx", "since": "never", "before": "0", "cursor": "eA"}
    for name, value in wrong.items():
        answer = client.ask(f"/control/v1/requests?{name}={value}", token=token)
        assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [name])


def test_one_with_its_reason() -> None:
    """By the id of its answer."""
    kept(request_id="mine", **refused("FORBIDDEN", 403, missing_scopes=["a"])).save()
    client, token = staff()
    found = client.ask("/control/v1/requests/mine", token=token).json()

    assert found["why"] == ["A caller without credentials from 203.0.113.7 lacks the scope a."]
    assert client.ask("/control/v1/requests/nobody", token=token).status_code == 404
