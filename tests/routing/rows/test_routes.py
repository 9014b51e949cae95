"""Routes: one destination, one truth, and errors at their columns."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from routing.models import Destination, Route, RouteDefaults, Service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_service_that_is_routed_to_stays() -> None:
    """Deleting it is refused as long as a route leads there."""
    to = Service.objects.create(name="a")
    Route.objects.create(name="r", service=to)
    with pytest.raises(ProtectedError):
        to.delete()


@pytest.mark.parametrize(
    "values", [{"destination": "service"}, {"destination": "nowhere"}, {"path_type": "guess"}]
)
def test_the_database_refuses_nonsense(values: dict[str, object]) -> None:
    """A route to a service has a service; choices are the document's."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Route.objects.create(**{"name": "r", "destination": "respond", **values})


def test_only_the_chosen_destination_is_kept() -> None:
    """Choosing another destination forgets what was written for the others."""
    to = Service.objects.create(name="a")
    row = Route.objects.create(name="r", service=to)
    row.destination = Destination.RESPOND
    row.respond = {"status": 200}
    row.redirect = {"path": "/x"}
    row.save()
    stored = Route.objects.get()
    assert (stored.service, stored.redirect, stored.respond) == (None, None, {"status": 200})


def test_errors_are_at_their_columns() -> None:
    """Parts of match, the level of auth, and sections each have their column."""
    row = Route(
        name="r",
        destination=Destination.RESPOND,
        respond={"status": 99},
        path="no-slash",
        hosts=["a b"],
        auth_level="usr",
        rewrite={"regex": {"pattern": "(", "to": "/"}},
        timeout="soon",
    )
    with pytest.raises(ValidationError) as refused:
        row.full_clean()
    assert {"path", "hosts", "auth_level", "rewrite", "timeout", "respond"} <= set(refused.value.error_dict)
    assert "regex.pattern" in str(refused.value.error_dict["rewrite"])


def test_hosts_and_methods_can_be_searched() -> None:
    """Text search finds a word in the list on every database."""
    Route.objects.create(
        name="r", destination="respond", hosts=["api.example.com", "*.b.test"], methods=["GET"]
    )
    assert Route.objects.filter(hosts__icontains="EXAMPLE").count() == 1
    assert Route.objects.filter(methods__icontains="post").count() == 0
    assert Route.objects.get().hosts == ["api.example.com", "*.b.test"]


def test_there_is_one_row_of_defaults() -> None:
    """A second one becomes the first."""
    RouteDefaults(values={"timeout": "5s"}).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        RouteDefaults.objects.bulk_create([RouteDefaults(pk=2)])
    assert RouteDefaults.objects.get().values == {"timeout": "5s"}
