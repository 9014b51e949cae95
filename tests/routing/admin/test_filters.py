"""Filters of routes: each knows what a route that says nothing does."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import RequestFactory

from routing.admin.filters import DestinationFilter, EnabledFilter, HostFilter, MethodFilter
from routing.document.honoured import is_honoured
from routing.models import Route

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("kind", "value", "names"),
    [
        (EnabledFilter, "enabled", ["plain", "posting"]),
        (EnabledFilter, "disabled", ["off"]),
        (EnabledFilter, "nonsense", ["off", "plain", "posting"]),
        (MethodFilter, "GET", ["off", "plain"]),
        (MethodFilter, "POST", ["off", "plain", "posting"]),
        (DestinationFilter, "respond", ["off", "plain", "posting"]),
        (DestinationFilter, "redirect", []),
        (HostFilter, "example", ["posting"]),
        (HostFilter, "%", []),
    ],
)
def test_filter(kind: Any, value: str, names: list[str]) -> None:
    """Routes without a state are enabled, and without methods they take every method."""
    common: dict[str, Any] = {"path": "/", "destination": "respond", "respond": {}}
    Route.objects.create(name="plain", **common)
    Route.objects.create(name="off", enabled=False, **common)
    Route.objects.create(name="posting", methods=["POST", "PUT"], hosts=["api.example.com"], **common)
    request = RequestFactory().get("/")
    chosen = kind(request, {kind.parameter_name: [value]}, Route, admin.site.get_model_admin(Route))
    found = chosen.queryset(request, Route.objects.order_by("name"))
    assert [route.name for route in found] == names


def test_only_honoured_destinations_are_offered() -> None:
    """A filter for what cannot be there would only confuse."""
    request = RequestFactory().get("/")
    chosen = DestinationFilter(request, {}, Route, admin.site.get_model_admin(Route))
    offered = {key for key, _ in chosen.lookup_choices}
    assert {"service", "backends", "redirect", "respond"} <= offered
    assert all(is_honoured("routes", key) for key in offered)
