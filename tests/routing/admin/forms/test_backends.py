"""The form of one of the services that share a route's requests."""

import pytest

from routing.admin.forms.backends import BackendForm
from routing.models import Service

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("weight", "kept"), [("", None), ("0", 0), ("65535", 65535), ("-1", "weight"), ("much", "weight")]
)
def test_weights(weight: str, kept: object) -> None:
    """What is empty is not said; the document's default holds."""
    service = Service.objects.create(name="a")
    form = BackendForm({"service": str(service.pk), "weight": weight})

    if isinstance(kept, str):
        assert list(form.errors) == [kept]
    else:
        assert form.is_valid(), form.errors
        assert form.cleaned_data["weight"] == kept
