"""Roles that nobody can have."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from routing.admin.rolenames import unknown_roles
from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in
from tests.support.configuration import route, small

pytestmark = pytest.mark.django_db


def test_a_misspelt_role_is_told_on_the_route_s_page() -> None:
    """With the name that was probably meant; roles that are described and plain groups are known."""
    Group.objects.create(name="cooks")
    auth = {"level": "user", "roles": ["analyst", "cooks", "analist", "${ROLE:-x}"]}
    document = {**small(), "routes": [route(auth=auth)], "roles": [{"name": "analyst"}]}
    apply_document(document, actor=Actor("first"))

    text = signed_in().get(page("route", "change", Route.objects.get().pk)).content.decode()

    assert text.count("No account can have the role") == 1
    assert "“analist”: there is no such role or group (did you mean &quot;analyst&quot;?)." in text


@pytest.mark.parametrize("auth", [None, {}, {"roles": None}, {"roles": [5]}, "text"])
def test_without_roles_there_is_nothing_to_tell(auth: Any) -> None:
    """Nor is anything asked."""
    assert unknown_roles(Route(auth=auth)) == []
