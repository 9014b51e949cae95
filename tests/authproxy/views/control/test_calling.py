"""Who calls the control API: accounts by their permissions, staff from elsewhere without, nobody else."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.http import HttpRequest
from rest_framework.request import Request

from authproxy.exchange import SCOPE_IDENTITY
from authproxy.identity import Identity
from authproxy.refusing import Refused
from authproxy.views.control.calling import model_of, permission_for, staff
from routing.models import Route, RouteDefaults

pytestmark = pytest.mark.django_db


def asked(**fields: Any) -> Request:
    request = HttpRequest()
    request.method = "GET"
    request.scope = {SCOPE_IDENTITY: Identity(method="jwt", **fields), "headers": []}  # type: ignore[attr-defined]
    return Request(request)


def test_staff_of_a_provider_may_everything() -> None:
    """It has no account whose permissions could be asked."""
    caller = staff(asked(is_staff=True, provider="azure", name="eve"))
    assert caller.account is None
    assert caller.may("routing.change_route")
    caller.require_hand("routes", ("change",), "any")
    assert (caller.actor.name, caller.actor.user_id) == ("eve", None)
    assert not caller.owned(Route).exists()
    assert caller.beyond(Permission.objects.select_related("content_type")) == []


def test_others_are_refused() -> None:
    """Whatever they are called."""
    with pytest.raises(Refused) as caught:
        staff(asked(is_staff=False))
    assert caught.value.rejection.details == {"level": "admin"}


def test_permissions_have_django_s_names() -> None:
    """Defaults are rows of their own."""
    assert model_of("defaults") is RouteDefaults
    assert permission_for("change", model_of("topics")) == "routing.change_topicrule"
