"""`gateway cache purge` and `list`."""

import pytest

from resilience.models import CachePurge
from routing.models import Route
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def world() -> None:
    Route.objects.create(name="shop", destination="respond", respond={"status": 200})


def test_an_operator_purges() -> None:
    """One kind at a time, several of it; the history says who and why."""
    ran = gateway("cache", "purge", "--tag", "a", "--tag", "B", "--reason", "why", "--as", "anna")
    assert (ran.code, ran.out) == (0, "purged tag a\npurged tag b\n")
    assert gateway("cache", "purge", "--route", "shop", "--as", "anna").out == "purged route shop\n"
    assert gateway("cache", "purge", "--url", "/x", "--json").data[0]["value"] == "/x"
    assert gateway("cache", "purge", "--all").out == "purged all\n"
    lines = gateway("cache", "list").out.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["all", "url /x", "route shop", "tag b", "tag a"]
    assert lines[-1].endswith("by anna  (why)")
    assert len(gateway("cache", "list", "--json").data) == 5


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(("--route", "shpo"), 'there is no route "shpo"'), (("--url", "ftp://x"), "want a URL")],
)
def test_what_is_not_there_is_refused_in_one_line(arguments: tuple[str, str], why: str) -> None:
    """And changes nothing."""
    ran = gateway("cache", "purge", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert not CachePurge.objects.exists()
