"""Fields that look rows up: whatever an address or a form has for one, the page comes, and chooses nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from authproxy.models import Consumer
from routing.models import Service
from tests.support.adminpages import errors, filled, page, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
FIELDS = {
    "service": page("route", "add"),
    "user": page("owner", "add"),
    "consumer": reverse("admin:authproxy_apikey_add"),
    "roles": reverse("admin:authproxy_consumer_add"),
}
NO_ROW = ["abc", "[]", "1.5", "\0", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 30]


def chosen(response: Any, name: str) -> list[str]:
    """The rows that the field shows as chosen."""
    field = response.context["adminform"].form[name]
    groups = field.field.widget.widget.optgroups(name, [str(each) for each in _listed(field.value())])
    return [option["label"] for _, options, _ in groups for option in options if option["selected"]]


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize("value", NO_ROW)
@pytest.mark.parametrize("name", FIELDS)
def test_an_address_may_have_anything(name: str, value: str) -> None:
    answer = signed_in().get(FIELDS[name], {name: value})
    assert answer.status_code == 200
    assert chosen(answer, name) == []


def test_an_address_may_choose_a_row() -> None:
    """One, and several."""
    service = Service.objects.create(name="orders")
    answer = signed_in().get(FIELDS["service"], {"service": service.pk})
    assert chosen(answer, "service") == ["orders"]
    groups = [Group.objects.create(name=name) for name in ("a", "b")]
    many = signed_in().get(FIELDS["roles"], {"roles": ",".join(str(group.pk) for group in groups)})
    assert chosen(many, "roles") == ["a", "b"]


@pytest.mark.parametrize("value", NO_ROW)
def test_a_form_comes_back_with_its_error(value: str) -> None:
    client = signed_in()
    given = {**filled(client, FIELDS["consumer"]), "consumer": value, "name": "till"}
    assert "consumer" in errors(client.post(FIELDS["consumer"], given))
    assert Consumer.objects.count() == 0
