"""What somebody owns, and what follows from it."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User

from routing import owning
from routing.drafts import Actor
from routing.models import Owner, Plan, Route, Service
from routing.publishing import apply_document
from tests.support.configuration import route, service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def rows() -> None:
    """Two services, each with a route, and a second route to the first."""
    services = [service("a", 1), service("b", 2)]
    routes = [route("a", "/a", "a"), route("a2", "/a2", "a"), route("b", "/b", "b")]
    apply_document({"version": 1, "services": services, "routes": routes}, actor=Actor("first"))


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", is_staff=True)


def names(rows: object) -> set[str]:
    return set(map(str, rows))  # type: ignore[call-overload]


def test_service_is_owned_with_its_routes(rows: None, ada: User) -> None:
    """The routes that lead to it, whoever made them; nothing of others."""
    Owner.objects.create(user=ada, service=Service.objects.get(name="a"))

    assert names(owning.owned(ada, Service)) == {"a"}
    assert names(owning.owned(ada, Route)) == {"a", "a2"}


def test_route_is_owned_without_its_service(rows: None, ada: User) -> None:
    """Other routes lead there as well."""
    Owner.objects.create(user=ada, route=Route.objects.get(name="b"))

    assert names(owning.owned(ada, Route)) == {"b"}
    assert not owning.owns(ada, Service)


def test_group_owns_for_its_members(rows: None, ada: User) -> None:
    """While they are members, and their account is active."""
    team = Group.objects.create(name="team")
    Owner.objects.create(group=team, service=Service.objects.get(name="b"))
    assert not owning.owns(ada, Service)

    ada.groups.add(team)
    assert owning.owns(ada, Service, Service.objects.get(name="b").pk)
    ada.is_active = False
    assert not owning.owns(ada, Service)


@pytest.mark.parametrize("key", ["", "x", "1 OR 1=1", 10**30, object()])
def test_no_key_is_owned_by_nobody(rows: None, ada: User, key: object) -> None:
    """Addresses of pages may say anything."""
    Owner.objects.create(user=ada, service=Service.objects.get(name="a"))
    assert not owning.owns(ada, Service, key)


def test_other_kinds_are_owned_by_nobody(ada: User) -> None:
    """Only services and routes are."""
    Plan.objects.create(name="gold")
    assert not owning.owns(ada, Plan)
    assert not owning.may_see(AnonymousUser(), Service)


def test_owner_leads_its_routes_to_its_services(rows: None, ada: User) -> None:
    """And leaves them where they lead: to expose somebody else's service takes more."""
    Owner.objects.create(user=ada, service=Service.objects.get(name="a"))
    Owner.objects.create(user=ada, route=(b := Route.objects.get(name="b")))

    assert names(owning.may_lead_to(ada, b.pk)) == {"a", "b"}
    assert names(owning.may_lead_to(ada, Route.objects.get(name="a").pk)) == {"a"}
    assert names(owning.may_lead_to(ada, None)) == {"a"}


def test_right_to_see_all_or_own_something_opens_the_page(rows: None, ada: User) -> None:
    """The sidebar shows what leads somewhere."""
    assert not owning.may_see(ada, Route)
    ada.user_permissions.add(Permission.objects.get(codename="view_route"))
    ada = User.objects.get(pk=ada.pk)

    assert owning.may_see(ada, Route)
    assert not owning.may_see(ada, Service)


def test_owner_stays_when_a_document_is_applied(rows: None, ada: User) -> None:
    """Rows keep their identity; what is deleted is nobody's."""
    Owner.objects.create(user=ada, service=Service.objects.get(name="a"))
    changed = {"version": 1, "services": [service("a", 99)]}
    apply_document(changed, actor=Actor("second"))
    assert names(owning.owned(ada, Service)) == {"a"}

    apply_document({"version": 1, "services": [service("b", 2)]}, actor=Actor("third"), prune=True)
    assert Owner.objects.count() == 0
