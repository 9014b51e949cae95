"""The form of the defaults: route keys for every route, and what it does not show stays."""

import pytest

from routing.admin.forms.defaults import LEFT_OUT, DefaultsForm
from routing.models import RouteDefaults

pytestmark = pytest.mark.django_db


def test_fields_are_honoured_route_keys_without_what_is_a_routes_own() -> None:
    """What a route matches and where it leads is not a default here."""
    tops = {leaf.path[0] for leaf in DefaultsForm.leaves}
    assert {"auth", "limits", "request_headers", "timeout"} <= tops
    assert not tops & set(LEFT_OUT)


@pytest.mark.parametrize(
    ("field", "text"), [("timeout", "5"), ("limits__max_body", "x"), ("response_headers__set", "a b: c")]
)
def test_each_fault_is_at_its_field(field: str, text: str) -> None:
    """The same validation as the document's."""
    form = DefaultsForm({field: text})
    assert list(form.errors) == [field]


def test_empty_form_is_no_defaults() -> None:
    """Nothing filled in is stored as nothing."""
    form = DefaultsForm({})
    assert form.is_valid()
    assert form.save().values is None


def test_keys_without_a_field_stay() -> None:
    """A default that only a document can set survives an edit in admin."""
    row = RouteDefaults.objects.create(values={"priority": 3, "timeout": "5s"})
    form = DefaultsForm({"timeout": "7s"}, instance=row)
    assert form.is_valid(), form.errors
    assert form.save().values == {"priority": 3, "timeout": "7s"}
