"""`/control/v1/quotas/counts`: who may look, who may have a caller counted anew, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from authproxy import quotaresets
from resilience.models import QuotaCount, QuotaReset
from tests.support.counts import configured, counted
from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]
COUNTS = "/control/v1/quotas/counts"
RESET = f"{COUNTS}/reset"
ORDER = {"quota": "free", "key": "consumer:ada"}


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotaresets, "_bound", [])
    configured()
    counted("d|free|consumer:ada", 7)
    counted("d|free|ip:10.0.0.1", 9)
    counted("m|month|consumer:ada", 30)


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def token(client: Endpoints, name: str, *permissions: str, staff: bool = True) -> str:
    user = account(name, is_staff=staff)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    found = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return found


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_counts_are_listed(client: Endpoints) -> None:
    """The highest first, of one quota or of some keys, and not without an end."""
    vera = token(client, "vera", "view_quotacount")
    found = client.ask(COUNTS, token=vera).json()
    assert [each["used"] for each in found["counts"]] == [30, 9, 7]
    assert (found["next"], found["counts"][2]["left"], found["counts"][2]["key"]) == (
        None,
        3,
        "consumer:ada",
    )
    found = client.ask(f"{COUNTS}?quota=free&key=ada", token=vera).json()
    assert [each["used"] for each in found["counts"]] == [7]
    found = client.ask(f"{COUNTS}?limit=2", token=vera).json()
    assert (len(found["counts"]), found["total"]) == (2, 3)
    found = client.ask(f"{COUNTS}?limit=2&cursor={found['next']}", token=vera).json()
    assert ([each["used"] for each in found["counts"]], found["next"]) == ([7], None)
    assert code(client.ask(f"{COUNTS}?quota=a%00", token=vera)) == (400, "VALIDATION_ERROR")


def test_an_operator_resets_one(client: Endpoints) -> None:
    """With who and why; nobody else's count changes."""
    anna = token(client, "anna", "operate")
    done = client.send(RESET, {**ORDER, "reason": "sorry"}, token=anna)
    assert (done.status_code, done.json()) == (200, {**ORDER, "forgotten": [7], "by": "anna"})
    assert sorted(QuotaCount.objects.values_list("count", flat=True)) == [0, 9, 30]
    row = QuotaReset.objects.get()
    assert (row.by, row.reason, row.count) == ("anna", "sorry", 7)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "quota"),
        ({"quota": "free"}, "key"),
        ({**ORDER, "key": ["a"]}, "key"),
        ({**ORDER, "key": "a\0"}, "key"),
        ({**ORDER, "reason": "x" * 501}, "reason"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Endpoints, body: dict[str, Any], field: str) -> None:
    """With the field that is wrong."""
    refused = client.send(RESET, body, token=token(client, "anna", "operate"))
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert field in refused.json()["error"]["details"]
    assert not QuotaReset.objects.exists()


def test_what_was_not_counted_is_not_found(client: Endpoints) -> None:
    """Nor does one caller's name stand for another's."""
    anna = token(client, "anna", "operate")
    for order in ({**ORDER, "key": "consumer:ad"}, {**ORDER, "quota": "fre"}):
        assert code(client.send(RESET, order, token=anna)) == (404, "NOT_FOUND")


def test_a_store_that_is_away_is_told(client: Endpoints) -> None:
    """With when to come again; nothing is reset."""
    quotaresets.bind(lambda _bucket: "Redis does not answer")
    refused = client.send(RESET, ORDER, token=token(client, "anna", "operate"))
    assert code(refused) == (503, "SERVICE_UNAVAILABLE")
    assert refused["Retry-After"] == "1"
    assert not QuotaReset.objects.exists()


def test_only_those_may_who_may_in_admin(client: Endpoints) -> None:
    """Staff without a right does not see whose requests are counted."""
    assert code(client.ask(COUNTS)) == (401, "AUTH_ERROR")
    assert code(client.send(RESET, ORDER)) == (401, "AUTH_ERROR")
    for name, staff in (("bert", False), ("nora", True)):
        somebody = token(client, name, staff=staff)
        assert code(client.ask(COUNTS, token=somebody)) == (403, "FORBIDDEN")
        assert code(client.send(RESET, ORDER, token=somebody)) == (403, "FORBIDDEN")
    vera = token(client, "vera", "view_service")
    assert client.ask(COUNTS, token=vera).status_code == 200
    assert code(client.send(RESET, ORDER, token=vera)) == (403, "FORBIDDEN")
    assert not QuotaReset.objects.exists()
