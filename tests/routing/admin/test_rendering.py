"""Changes as HTML: complete, escaped, bounded."""

from types import SimpleNamespace

import pytest

from routing.admin.rendering import ENTRIES, LONGEST, difference, summary, with_summary
from routing.diff import diff
from routing.drafts import Actor
from routing.models import Revision
from routing.publishing import apply_document
from tests.support.configuration import large, route, small

EMPTY = {"version": 1}


def test_no_change_is_said() -> None:
    """An empty difference is a sentence."""
    assert "Nothing changed." in difference(diff(small(), small()))


def test_keys_show_before_and_after() -> None:
    """What was removed on the left, what takes its place on the right."""
    html = difference(diff(small(8001), {**small(8001), "routes": [route(path="/v2", timeout="5s")]}))
    assert "<code>match.path</code></td><td><del>/orders</del></td><td><ins>/v2</ins>" in html
    assert "<code>timeout</code></td><td><del></del></td><td><ins>5s</ins>" in html


def test_values_are_escaped() -> None:
    """A configuration cannot put markup into admin."""
    nasty = {"version": 1, "routes": [{"name": "r", "respond": {"body": "<script>alert(1)</script>"}}]}
    html = difference(diff(EMPTY, nasty))
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_long_values_and_many_entries_are_cut() -> None:
    """A page stays a page."""
    body = {"version": 1, "routes": [{"name": "r", "respond": {"body": "x" * 5000}}]}
    assert "x" * (LONGEST + 1) not in difference(diff(EMPTY, body))
    assert "… and 7 more" in difference(diff(EMPTY, large(ENTRIES + 6, services=1)))


@pytest.mark.store
@pytest.mark.django_db
def test_summary_is_read_without_the_rest() -> None:
    """However much a revision changed, its list entry costs the same."""
    apply_document(small(), actor=Actor("ada"))
    [revision] = with_summary(Revision.objects.all())
    assert summary(revision) == "1 service added; 1 route added"
    assert {"document", "changes"} <= revision.get_deferred_fields()


@pytest.mark.parametrize("head", [None, "", "{}", '{"summary":', '{"other": 1}'])
def test_revision_without_a_summary_has_none(head: str | None) -> None:
    """Whatever is stored there, the list is shown."""
    assert summary(SimpleNamespace(changes_head=head)) == ""
