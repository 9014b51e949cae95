"""Comparing: any two revisions, side by side."""

import pytest
from django.urls import reverse

from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.adminpages import signed_in
from tests.support.configuration import route, small

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three() -> None:
    """Three revisions, each with another timeout."""
    for timeout in ("1s", "2s", "3s"):
        apply_document({**small(), "routes": [route(timeout=timeout)]}, actor=Actor("anna"))


def page(**numbers: object) -> str:
    return signed_in().get(reverse("admin:routing_compare"), numbers).content.decode()


@pytest.mark.parametrize(
    ("asked", "before", "after"),
    [
        ({"before": 1, "after": 3}, "1s", "3s"),
        ({"before": 3, "after": 1}, "3s", "1s"),
        ({"after": 2}, "1s", "2s"),
        ({}, "2s", "3s"),
    ],
)
def test_two_revisions_side_by_side(asked: dict[str, int], before: str, after: str) -> None:
    """Either way round; the one before by itself; at first the newest."""
    found = page(**asked)
    assert f"<td><code>timeout</code></td><td><del>{before}</del></td><td><ins>{after}</ins></td>" in found
    assert "<th>revision" in found


@pytest.mark.parametrize("wrong", ["7", "0", "-1", "x", "9" * 30])
def test_what_is_no_revision_is_told(wrong: str) -> None:
    """At its field."""
    found = page(before=wrong, after="1")
    assert "What differs" not in found
    assert "errorlist" in found or "revision" in found
