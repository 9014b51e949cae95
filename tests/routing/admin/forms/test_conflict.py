"""Conflicts in words: who, when, what."""

import pytest

from routing.admin.forms.conflict import SHOWN, explain_conflict
from routing.drafts import Actor
from routing.models import Route, Service
from routing.publishing import apply_document
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_message_names_the_editor_and_every_difference() -> None:
    """What is stored and what was typed stand beside each other."""
    apply_document(small(), actor=Actor("bob"))
    text = explain_conflict(Route.objects.get(), [("Path", "/a", "/b"), ("Timeout", "", "5s")])
    assert text.startswith("bob changed this just now, after you had opened it.")
    assert "<b>Path</b>: stored now <code>/a</code>, yours <code>/b</code>" in text
    assert "<b>Timeout</b>: stored now <code>nothing</code>, yours <code>5s</code>" in text


def test_unknown_editor_and_equal_contents_are_said() -> None:
    """Without history it was somebody; two who wrote the same are told so."""
    text = explain_conflict(Service.objects.create(name="s"), [])
    assert text.startswith("Somebody else changed this")
    assert text.endswith("Both of you wrote the same.")


def test_texts_are_escaped_and_differences_bounded() -> None:
    """What somebody typed is shown, not run."""
    row = Service.objects.create(name="s")
    text = explain_conflict(row, [("Body", "<script>", "x")] * (SHOWN + 5))
    assert "<script>" not in text
    assert text.count("<li>") == SHOWN
