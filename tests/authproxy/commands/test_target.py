"""`gateway target list` and `readmit`."""

import pytest

from resilience.models import TargetReadmission
from tests.support.cli import gateway
from tests.support.standings import A, B, checked, ejected, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def world() -> None:
    shop()
    checked(A, True, why="")
    ejected(B)


def test_people_get_a_line_each_and_programs_json() -> None:
    """All of them, or those that are left out."""
    well, out = gateway("target", "list").out.splitlines()
    assert well.split()[:3] == ["shop", A, "healthy"]
    assert "(5 requests in a row failed, at 1 worker)" in out
    assert "until" in out
    assert [each["url"] for each in gateway("target", "list", "--out", "--json").data] == [B]
    assert gateway("target", "list", "--service", "other", "--json").data == []


def test_an_operator_puts_one_back() -> None:
    """With a reason; the history says who."""
    ran = gateway("target", "readmit", "shop", B, "--reason", "fixed", "--as", "anna")
    assert (ran.code, ran.out) == (0, f"{B} of shop: put back\n")
    row = TargetReadmission.objects.get()
    assert (row.target, row.by, row.reason) == (B, "anna", "fixed")
    assert gateway("target", "list", "--out").out == ""
    assert gateway("target", "readmit", "shop", A, "--json", "--as", "bert").data["by"] == "bert"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("shpo", A), 'there is no service "shpo"'),
        (("shop", "http://b:2"), '"shop" has no target "http://b:2" (did you mean "http://b:1"?)'),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(arguments: tuple[str, str], why: str) -> None:
    """And changes nothing."""
    ran = gateway("target", "readmit", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert ran.err.count("\n") == 1
    assert not TargetReadmission.objects.exists()
