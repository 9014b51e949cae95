"""Revisions are never changed; nodes and pending changes come and go."""

import pytest
from django.db import IntegrityError, transaction

from routing.models import Revision
from routing.rows.revisions import RevisionIsImmutable

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def make(number: int = 1) -> Revision:
    return Revision.objects.create(number=number, author="anna", source="cli", document="{}", digest="d")


def test_a_revision_cannot_be_changed_or_deleted() -> None:
    """Neither one by one nor in bulk."""
    row = make()
    for attempt in (
        row.save,
        row.delete,
        Revision.objects.all().delete,
        lambda: Revision.objects.update(author="bert"),
    ):
        with pytest.raises(RevisionIsImmutable):
            attempt()
    assert Revision.objects.get().author == "anna"


def test_a_number_is_given_once() -> None:
    """And begins with one."""
    make()
    for number in (1, 0):
        with pytest.raises(IntegrityError), transaction.atomic():
            make(number)


def test_deleting_an_account_keeps_what_it_published(django_user_model: type) -> None:
    """The name stays, the link goes."""
    user = django_user_model.objects.create_user("anna")  # type: ignore[attr-defined]
    Revision.objects.create(number=1, author="anna", user=user, source="cli", document="{}", digest="d")
    user.delete()
    row = Revision.objects.get()
    assert (row.author, row.user) == ("anna", None)
