"""The trail in admin: read, filtered, followed; never changed."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from observability.admin import audit
from observability.audit import finding
from observability.models import AuditEvent
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
        ("at_from_0=2020-01-01&at_to_0=2100-01-01", [2, 1]),
        ("at_from_0=2100-01-01", []),
        ("at_to_0=9999-12-31", [2, 1]),
        ("at_to_0=2020-01-01&q=paid", []),
        ("before=2", [1]),
        ("before=x", []),
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


def test_words_are_looked_for_once() -> None:
    """Neither to count, nor for the page: a rare word is looked for in a hundred thousand rows."""
    client = signed_in()
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{LIST}?q=PAID")
    assert sum("LIKE" in each["sql"] for each in queries) == 1
    assert len(queries) == 8  # session, account, two counts of it, the newest (twice), the keys, the page


def test_words_are_looked_for_among_the_newest_that_other_filters_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of an actor who did nothing lately, too, however much others did since."""
    monkeypatch.setattr(finding, "SEARCHED", 1)
    client = signed_in()
    assert not client.get(f"{LIST}?q=paid").context["cl"].result_list
    assert [row.pk for row in client.get(f"{LIST}?q=paid&actor=anna").context["cl"].result_list] == [1]


def test_a_search_that_stopped_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that was asked for, from the first page; at the end there is no link."""
    monkeypatch.setattr(finding, "SEARCHED", 1)
    client = signed_in()
    first = client.get(f"{LIST}?q=a&p=1")
    assert "Events before number 2 are not among these." in " ".join(first.content.decode().split())
    link = first.context["further"]["link"]
    assert (link, link.replace("&", "&amp;") in first.content.decode()) == ("?before=2&q=a", True)
    second = client.get(LIST + link)
    assert ([row.pk for row in second.context["cl"].result_list], second.context["further"]) == ([1], None)
    assert "Search further" not in second.content.decode()


def test_a_search_that_found_too_many_goes_on_behind_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it found and does not show are in the next."""
    monkeypatch.setattr(audit, "MOST_FOUND", 1)
    record(Deed("breaker.force", (("services", "orders"),), "carla"))
    client, query, found = signed_in(), "?q=breaker", []
    for _ in range(2):
        page = client.get(LIST + query)
        found += [row.pk for row in page.context["cl"].result_list]
        query = page.context["further"]["link"]
    assert found == [3, 2]
    assert not client.get(LIST + query).context["cl"].result_list


@pytest.mark.parametrize(("most", "before"), [(1, 2), (2, None)])
def test_a_list_that_is_too_long_goes_on(
    most: int, before: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind its last event, if there is one."""
    monkeypatch.setattr(audit, "MOST_COUNTED", most)
    further = signed_in().get(LIST).context["further"]
    assert (further and further["before"]) == before


def test_a_big_event_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admin asks for each field that it shows several times."""
    read = []
    monkeypatch.setattr(audit.orjson, "loads", lambda text: read.append(text) or json.loads(text))
    signed_in().get(f"{LIST}1/change/")
    assert len(read) == 1


def test_a_filter_by_time_has_its_ends_in_it() -> None:
    """To the microsecond, as times are written."""
    first, second = AuditEvent.objects.order_by("pk").values_list("at", flat=True)
    for at, numbers in ((first, [1]), (second, [2])):
        ends = "&".join(f"at_{end}_0={at:%Y-%m-%d}&at_{end}_1={at:%H:%M:%S.%f}" for end in ("from", "to"))
        found = signed_in().get(f"{LIST}?{ends}").context["cl"].result_list
        assert [row.pk for row in found] == (numbers if first != second else [2, 1])
