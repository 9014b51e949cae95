"""D: `/control/v1/owners…`: who may edit one service or route without being an editor of all. A row is its address."""

from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import etag
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, at_once, require_match, shown, word
from authproxy.views.control.calling import staff
from authproxy.views.control.noting import note
from authproxy.views.control.parameters import IF_MATCH, IF_NONE_MATCH, KNOWN, READING, UNCHANGED, lists, text
from authproxy.views.control.tables import page, searched
from authproxy.views.documented import documented
from routing.admin.audited import picture
from routing.models import Owner, Route, Service

_TAG: Final = "Access"
_SEE: Final = "routing.view_owner"
_OWNED: Final[dict[str, tuple[str, type[Model]]]] = {
    "services": ("service", Service),
    "routes": ("route", Route),
}
_OWNING: Final[dict[str, tuple[str, type[Model], str]]] = {
    "users": ("user", User, "username"),
    "groups": ("group", Group, "name"),
}
_PLACE: Final = [
    OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(_OWNED), description="What is owned."),
    OpenApiParameter("entry", str, OpenApiParameter.PATH, description="Its name."),
    OpenApiParameter("who", str, OpenApiParameter.PATH, enum=list(_OWNING), description="Who owns it."),
    OpenApiParameter("name", str, OpenApiParameter.PATH, description="The account's or group's name."),
]


class OwnerShape(Shape):
    """One of `user` and `group`, and one of `service` and `route`; the others are null."""

    user = serializers.CharField(allow_null=True)
    group = serializers.CharField(allow_null=True)
    service = serializers.CharField(allow_null=True)
    route = serializers.CharField(allow_null=True)


class OwnersPage(Shape):
    owners = OwnerShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class OwnersView(ControlEndpoint):
    """All owners."""

    @lists(
        "List owners",
        tag=_TAG,
        asks=[
            text("search", "Part of any of the names."),
            text("user", "What this account owns itself."),
            text("group", "What this group owns."),
            text("service", "Who owns this service."),
            text("route", "Who owns this route itself."),
        ],
        answers=OwnersPage,
    )
    def get(self, request: Request) -> Response:
        """In the order in which they were made, a page at a time."""
        staff(request).require(_SEE)
        names = ("user__username", "group__name", "service__name", "route__name")
        rows = searched(_rows(), request, *names)
        for column in names:
            if wanted := word(request, column.partition("__")[0]):
                rows = rows.filter(**{column: wanted})
        return Response(page(rows, request, "owners", owner_json))


class OwnerView(ControlEndpoint):
    """One account or group that owns one service or route."""

    @documented(
        "Show an owner",
        tag=_TAG,
        asks=[*_PLACE, KNOWN],
        answers={200: OwnerShape, 304: UNCHANGED},
        errors=(*READING, 404),
    )
    def get(self, request: Request, **place: str) -> Response:
        """Whether it is one."""
        staff(request).require(_SEE)
        told = owner_json(_found(_rows(), **place))
        return shown(request, told, etag(told))

    @documented(
        "Make an owner",
        tag=_TAG,
        asks=[*_PLACE, IF_MATCH, IF_NONE_MATCH],
        answers={200: OwnerShape, 201: OwnerShape},
        errors=(*READING, 404, 409, 412),
    )
    def put(self, request: Request, **place: str) -> Response:
        """There is no body: the path says it all. Again, it changes nothing."""
        caller = staff(request)
        caller.require("routing.add_owner")
        with at_once():
            parts = _parts(**place)
            row = Owner.objects.filter(**parts).first()
            made = row is None
            require_match(request, None if row is None else etag(owner_json(row)))
            if row is None:
                row = Owner(**parts)
                row.full_clean()
                row.save()
                note(caller, "create", row, None, picture(row))
            told = owner_json(row)
        return Response(told, status=201 if made else 200, headers={"ETag": etag(told)})

    @documented(
        "Remove an owner",
        tag=_TAG,
        asks=[*_PLACE, IF_MATCH],
        answers={204: None},
        errors=(*READING, 404, 412),
    )
    def delete(self, request: Request, **place: str) -> Response:
        """Whoever it was, and what it owned, stay."""
        caller = staff(request)
        caller.require("routing.delete_owner")
        with at_once():
            row = _found(_rows().select_for_update(of=("self",)), **place)
            require_match(request, etag(owner_json(row)))
            note(caller, "delete", row, picture(row), None)
            row.delete()
        return Response(status=204)


def owner_json(row: Owner) -> dict[str, Any]:
    """By names."""
    return {
        "user": row.user.get_username() if row.user is not None else None,
        "group": row.group.name if row.group is not None else None,
        "service": row.service.name if row.service is not None else None,
        "route": row.route.name if row.route is not None else None,
    }


def _parts(*, kind: str, entry: str, who: str, name: str) -> dict[str, Any]:
    """What is owned, held until the end of the transaction so that two who make the same wait for each other; and by
    whom."""
    if kind not in _OWNED or who not in _OWNING:
        raise _none(kind, entry, who, name)
    what, entries = _OWNED[kind]
    owned = entries._default_manager.select_for_update(no_key=True).filter(name=entry).first()
    if owned is None:
        raise not_found(f'There is no {what} "{entry}".')
    column, holders, field = _OWNING[who]
    holder = holders._default_manager.filter(**{field: name}).first()
    if holder is None:
        raise not_found(f'There is no {"account" if column == "user" else column} "{name}".')
    return {what: owned, column: holder}


def _rows() -> "QuerySet[Owner]":
    return Owner.objects.select_related("user", "group", "service", "route")


def _found(rows: "QuerySet[Owner]", *, kind: str, entry: str, who: str, name: str) -> Owner:
    if kind in _OWNED and who in _OWNING:
        column, _, field = _OWNING[who]
        row = rows.filter(**{f"{_OWNED[kind][0]}__name": entry, f"{column}__{field}": name}).first()
        if row is not None:
            return row
    raise _none(kind, entry, who, name)


def _none(kind: str, entry: str, who: str, name: str) -> Exception:
    return not_found(f"There is no owner {kind}/{entry}/{who}/{name}.")
