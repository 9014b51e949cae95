"""A row is only saved over the version that its editor saw."""

import pytest
from django.core.exceptions import ValidationError

from routing.models import EditConflict, Service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_each_save_raises_the_version() -> None:
    """The version counts saves."""
    row = Service.objects.create(name="a")
    row.save()
    row.save()
    assert Service.objects.get().version == row.version == 3


def test_the_later_of_two_editors_is_told() -> None:
    """Both opened version 1; the second to save is refused, at cleaning already, and nothing is lost."""
    Service.objects.create(name="a")
    first, second = Service.objects.get(), Service.objects.get()
    first.notes = "first"
    first.save()
    second.notes = "second"
    with pytest.raises(ValidationError) as refused:
        second.full_clean()
    assert refused.value.error_dict["__all__"][0].code == "conflict"
    with pytest.raises(EditConflict, match="was changed or deleted"):
        second.save()
    assert Service.objects.get().notes == "first"


def test_saving_what_was_deleted_is_a_conflict() -> None:
    """A deleted row does not come back by a late save."""
    Service.objects.create(name="a")
    row = Service.objects.get()
    Service.objects.all().delete()
    with pytest.raises(EditConflict):
        row.save()
    assert not Service.objects.exists()


@pytest.mark.parametrize("name", ["", "-a", "a b", "ä", "a" * 101, "a\n"])
def test_names_are_checked(name: str) -> None:
    """The same names as in the document."""
    with pytest.raises(ValidationError) as refused:
        Service(name=name).full_clean()
    assert "name" in refused.value.error_dict
