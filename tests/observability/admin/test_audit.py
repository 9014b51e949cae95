"""The trail in admin: read, filtered, followed; never changed."""

import pytest
from django.urls import reverse

from routing.auditing import Deed, changed, record
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/observability/auditevent/"


@pytest.fixture(autouse=True)
def _trail() -> None:
    changes = changed(
        "consumer", "shop", {"plan": "free", "password": "a"}, {"plan": "gold", "password": "b"}
    )
    record(Deed("consumer.change", (("consumer", "shop"),), "anna", "They paid", changes))
    record(Deed("breaker.force", (("services", "orders"),), "bert"))


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [2, 1]),
        ("actor=anna", [1]),
        ("object=services+orders", [2]),
        ("object=shop", [1]),
        ("action=breaker.force", [2]),
        ("door=api", []),
        ("q=PAID", [1]),
    ],
)
def test_filters_and_search(query: str, numbers: list[int]) -> None:
    response = signed_in().get(f"{LIST}?{query}")
    assert [row.pk for row in response.context["cl"].result_list] == numbers


def test_an_event_shows_before_and_after_and_no_secret() -> None:
    text = signed_in().get(f"{LIST}1/change/").content.decode()
    assert "<del>free</del>" in text
    assert "<ins>gold</ins>" in text
    assert "They paid" in text
    assert "<del>***</del>" in text


def test_nobody_changes_one() -> None:
    client = signed_in()
    assert client.post(f"{LIST}1/change/", {"reason": "x"}).status_code == 403
    assert client.post(f"{LIST}1/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_the_history_of_a_row_is_its_events() -> None:
    from authproxy.models import Consumer

    shop = Consumer.objects.create(name="shop", kind="service")
    response = signed_in().get(reverse("admin:authproxy_consumer_history", args=[shop.pk]), follow=True)
    assert [row.pk for row in response.context["cl"].result_list] == [1]
