"""Warnings about routes that are never reached: on both sides, with links."""

import pytest

from routing.admin.shadowing import SHOWN, warnings_about
from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import page
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def link(name: str) -> str:
    return f'href="{page("route", "change", Route.objects.get(name=name).pk)}"'


def test_covered_route_names_what_covers_it_and_the_other_way_round() -> None:
    """Each side links to the other; a route that has nothing to do with it says nothing."""
    routes = [route(), route("late", "/orders/x", priority=-1), route("far", "/far")]
    apply_document({**small(), "routes": routes}, actor=Actor("ada"))
    [late] = warnings_about("late")
    assert "never reached" in late
    assert link("orders") in late
    [orders] = warnings_about("orders")
    assert link("late") in orders
    assert warnings_about("far") == []


def test_reserved_path_is_named() -> None:
    """What the gateway keeps for itself is no route, so there is no link."""
    apply_document({**small(), "routes": [route("r", "/admin/x")]}, actor=Actor("ada"))
    [text] = warnings_about("r")
    assert "the gateway&#x27;s own /admin takes all its requests" in text


def test_many_covered_routes_are_counted() -> None:
    """The message stays short."""
    covered = [route(f"r{n}", f"/orders/{n}", priority=-1) for n in range(SHOWN + 3)]
    apply_document({**small(), "routes": [route(), *covered]}, actor=Actor("ada"))
    [text] = warnings_about("orders")
    assert "and 3 more" in text


def test_rows_that_do_not_compile_give_no_warning() -> None:
    """That is another problem, told elsewhere."""
    apply_document(small(), actor=Actor("ada"))
    Route.objects.update(path="no-slash", version=9)
    assert warnings_about("orders") == []
