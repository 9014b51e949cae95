"""What the forms of all entries share: leaves, versions, problems from publishing."""

from typing import Any

import pytest

from routing.admin.forms.entry import EntryForm, entry_form
from routing.admin.forms.service import ServiceForm
from routing.models import Service
from routing.problems import Problem

pytestmark = pytest.mark.django_db


def test_form_has_a_field_for_every_leaf_and_keeps_its_base() -> None:
    """The machinery adds fields; checks and columns come from the base."""
    form = entry_form(ServiceForm, ServiceForm.leaves[:2])
    assert issubclass(form, EntryForm)
    assert [leaf.name for leaf in form.leaves] == [leaf.name for leaf in ServiceForm.leaves[:2]]
    assert {leaf.name for leaf in form.leaves} <= set(form.base_fields)


def test_texts_of_the_row_are_shown() -> None:
    """Nested sections included."""
    service = Service.objects.create(name="s", timeout={"connect": "250ms"}, max_connections=7)
    form = ServiceForm(instance=service)
    shown = {
        name: form[name].value() for name in ("name", "timeout__connect", "timeout__read", "max_connections")
    }
    assert shown == {"name": "s", "timeout__connect": "250ms", "timeout__read": "", "max_connections": "7"}
    assert form["seen_version"].value() == 1


def saved(service: Service, **data: Any) -> ServiceForm:
    return ServiceForm({"name": service.name, **data}, instance=Service.objects.get(pk=service.pk))


def test_same_version_saves_and_an_older_one_conflicts() -> None:
    """The version that somebody saw decides."""
    service = Service.objects.create(name="s")
    assert saved(service, seen_version=1).is_valid()
    service.save()
    form = saved(service, seen_version=1, timeout__connect="1s")
    assert not form.is_valid()
    assert form.has_conflict
    assert "Timeout connect" in str(form.errors)
    assert form["seen_version"].value() == "2"
    assert form["timeout__connect"].value() == "1s"


@pytest.mark.parametrize("version", ["", "x"])
def test_version_that_was_tampered_with_harms_nobody_else(version: str) -> None:
    """Without a version there is nothing to compare; one that is no number is refused."""
    service = Service.objects.create(name="s")
    assert saved(service, seen_version=version).is_valid() is (version == "")


def test_refusal_of_publishing_lands_at_its_field() -> None:
    """What only the whole document shows is told where it can be mended, or above the form."""
    form = entry_form(ServiceForm, ServiceForm.leaves)
    form.refused = (
        Problem("gateway.E007", "timeout.connect", "is too long"),
        Problem("gateway.E099", "", "there is more"),
    )
    bound = form({"name": "s"})
    assert dict(bound.errors) == {"timeout__connect": ["Is too long"], "__all__": ["there is more"]}


def test_invalid_form_leaves_the_instance_alone() -> None:
    """A page that is shown again names the row as it is stored."""
    service = Service.objects.create(name="s")
    form = saved(service, name="a/b", max_connections="9")
    assert not form.is_valid()
    assert (form.instance.name, form.instance.max_connections) == ("s", None)
