"""Kept requests for programs and for terminals."""

import pytest

from observability.requests.showing import as_json, explain_link, in_full, line
from tests.support.kept import kept, refused

pytestmark = pytest.mark.django_db


def test_programs_get_nulls_and_lists() -> None:
    """And all facts of one."""
    row = kept(consumer="", would=" ip ", **refused("FORBIDDEN", 403, missing_scopes=["a"]))
    shown = as_json(row)

    assert (shown["consumer"], shown["would"], shown["at"]) == (None, ["ip"], "2030-01-01T12:00:00Z")
    assert in_full(row)["why"] == ["A caller without credentials from 203.0.113.7 lacks the scope a."]


def test_a_line_says_the_most_important() -> None:
    """What is empty is left out."""
    assert line(kept(query="a=1", duration_ms=2.34, would=" ip ")) == (
        "2030-01-01T12:00:00Z  GET  200  2.3 ms  /orders/7?a=1  route orders  203.0.113.7  "
        "would be refused by ip  id"
    )


def test_without_a_host_the_path_is_explained() -> None:
    """Some requests have none."""
    assert "url=%2Forders%2F7&" in explain_link(kept(host=""))
