"""What is noted of rows when they are published."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.document.canonical import canonicalise
from routing.drafts import Actor
from routing.edits import edits_between
from routing.loader import read_rows
from routing.locking import writing
from routing.models import Revision, Route
from routing.publishing import apply_document, publish, publish_edits, rollback
from routing.rowskey import rows_key
from tests.support.configuration import documents, route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ADA = Actor("ada")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents(), min_size=1, max_size=4))
def test_rows_of_the_noted_key_say_what_was_published(changes: list[dict[str, object]]) -> None:
    for document in changes:
        apply_document(document, actor=ADA, prune=True)
        newest = Revision.objects.order_by("-number").first()
        if newest is not None:  # else there was nothing in it
            assert newest.rows_key == rows_key()
            assert canonicalise(read_rows()) == canonicalise(orjson.loads(newest.document))


def test_every_way_to_publish_notes_it() -> None:
    apply_document(small(), actor=ADA)
    apply_document({"version": 1, "routes": [route("b", "/b")]}, actor=ADA, draft=True)
    assert Revision.objects.get().rows_key != rows_key()
    publish(actor=ADA)
    assert Revision.objects.get(number=2).rows_key == rows_key()
    rollback(1, actor=ADA)
    assert Revision.objects.get(number=3).rows_key == rows_key()


@pytest.mark.parametrize("has_draft", [False, True])
def test_rows_that_are_somebodys_draft_are_not_what_was_published(has_draft: bool) -> None:
    apply_document(small(), actor=ADA)
    live = canonicalise(orjson.loads(Revision.objects.get().document))
    if has_draft:
        apply_document({"version": 1, "routes": [route("b", "/b")]}, actor=ADA, draft=True)
    changed = {**live, "routes": [{**live["routes"][0], "timeout": "9s"}]}
    with writing():
        publish_edits(edits_between(live, changed), actor=ADA, message="", source="test")
    assert Revision.objects.get(number=2).rows_key == ("" if has_draft else rows_key())


def test_every_change_of_a_row_is_another_key() -> None:
    apply_document(small(), actor=ADA)
    noted = Revision.objects.get().rows_key
    assert noted == rows_key()
    Route.objects.update(path="/else", version=2)
    assert noted != rows_key()
