"""Orders to purge, by all doors."""

from collections.abc import Callable

import pytest

from resilience.models import CachePurge
from routing.models import Route
from routing.purging import MOST_AT_ONCE, PurgeRefused, as_json, purge

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def world() -> None:
    Route.objects.create(name="shop", destination="respond", respond={"status": 200})


def test_orders_are_rows_in_their_order() -> None:
    """In the form in which workers compare them, each once, with who and why."""
    purge("url", ["https://A.test/x/../y?q", "/y", "/y"], by="anna", reason="wrong price\0")
    purge("tag", ["Product-1"], by="anna")
    purge("route", ["shop"], by="bert")
    purge("all", [""], by="bert")
    rows = list(CachePurge.objects.order_by("pk"))

    assert [(row.kind, row.value, row.by) for row in rows] == [
        ("url", "https://a.test/y?q", "anna"),
        ("url", "/y", "anna"),
        ("tag", "product-1", "anna"),
        ("route", "shop", "bert"),
        ("all", "", "bert"),
    ]
    assert as_json(rows[0])["reason"] == "wrong price\N{REPLACEMENT CHARACTER}"
    assert as_json(rows[-1])["value"] is as_json(rows[-1])["reason"] is None


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("route", ["shopp"], 'there is no route "shopp" (did you mean "shop"?)'),
        ("route", ["a\0"], "there is no route"),
        ("url", ["ftp://x"], "want a URL such as"),
        ("tag", ["a b"], "a tag has 1 to 200 characters"),
        ("tag", [""], "a tag has 1 to 200 characters"),
        ("tag", ["x" * 201], "a tag has 1 to 200 characters"),
        ("tag", [], "name 1 to 1000"),
        ("tag", list(map(str, range(MOST_AT_ONCE + 1))), "name 1 to 1000"),
    ],
)
def test_what_makes_no_sense_is_refused_whole(kind: str, values: list[str], message: str) -> None:
    """Nothing is ordered then."""
    with pytest.raises(PurgeRefused) as refused:
        purge(kind, values, by="anna")  # type: ignore[arg-type]

    assert message in str(refused.value)
    assert refused.value.field == kind
    assert not CachePurge.objects.exists()


def test_an_order_is_logged_once_it_is_given(
    django_capture_on_commit_callbacks: Callable[..., object], caplog: pytest.LogCaptureFixture
) -> None:
    """With who and why."""
    caplog.set_level("INFO", "torana.cache")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        purge("tag", ["a"], by="anna\n", reason="why")

    assert [record.getMessage() for record in caplog.records if record.name == "torana.cache"] == [
        "cache: 'tag a' was purged by 'anna\\n' ('why')"
    ]
