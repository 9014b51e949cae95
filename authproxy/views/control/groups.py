"""D: `/control/v1/groups…`, `/control/v1/permissions`: groups of accounts, and the rights in admin that they bring."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import revocation
from authproxy.admin.rights import right_name
from authproxy.control.preconditions import etag
from authproxy.refusing import forbidden, invalid, not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, at_once, require_match, shown, word
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.noting import note
from authproxy.views.control.parameters import CHANGING, IF_MATCH, IF_NONE_MATCH, READING, lists, shows, text
from authproxy.views.control.tables import page, searched
from authproxy.views.documented import documented
from routing.admin.audited import picture
from routing.problems import did_you_mean

_TAG: Final = "Access"
_SEE: Final = "auth.view_group"
_BY_NAME: Final = ("name",)
_RIGHTS: Final = "permissions__content_type"
_SHOWN_RIGHTS: Final = 10
MOST_RIGHTS: Final = 2000


class GroupWanted(Shape):
    """All rights that it is to bring; `name` is the path's."""

    permissions = serializers.ListField(
        child=serializers.CharField(max_length=201),
        max_length=MOST_RIGHTS,
        help_text="Such as `routing.view_route`; the list of permissions has all that there are.",
    )


class GroupShape(Shape):
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class GroupsPage(Shape):
    groups = GroupShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class PermissionShape(Shape):
    name = serializers.CharField()
    about = serializers.CharField()


class PermissionsPage(Shape):
    permissions = PermissionShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class GroupsView(ControlEndpoint):
    """All groups; roles of the configuration are groups, too."""

    @lists(
        "List groups",
        tag=_TAG,
        asks=[text("search", "Part of the name."), text("permission", "Those that bring this right.")],
        answers=GroupsPage,
    )
    def get(self, request: Request) -> Response:
        """By name, a page at a time."""
        staff(request).require(_SEE)
        rows = searched(_rows(), request, "name")
        if permission := word(request, "permission"):
            rows = rows.filter(permissions__in=_rights([permission], "permission"))
        return Response(page(rows, request, "groups", group_json, _BY_NAME))


class GroupView(ControlEndpoint):
    """One of them."""

    @shows("Show a group", tag=_TAG, answers=GroupShape)
    def get(self, request: Request, name: str) -> Response:
        """With the rights that it brings."""
        staff(request).require(_SEE)
        told = group_json(_named(name))
        return shown(request, told, etag(told))

    @documented(
        "Make or replace a group",
        tag=_TAG,
        takes=GroupWanted,
        asks=[IF_MATCH, IF_NONE_MATCH],
        answers={200: GroupShape, 201: GroupShape},
        errors=(*CHANGING, 409),
    )
    def put(self, request: Request, name: str) -> Response:
        """The same body again changes nothing. Rights that the caller does not have are added to none."""
        caller = staff(request)
        caller.require("auth.change_group", "auth.add_group")
        wanted = GroupWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        with at_once(revocation.hold_order):
            row = _rows(is_held=True).filter(name=name).first()
            caller.require(f"auth.{'add' if row is None else 'change'}_group")
            require_match(request, None if row is None else etag(group_json(row)))
            _become(row, name, wanted.validated_data, caller)
            told = group_json(_named(name))
        return Response(told, status=201 if row is None else 200, headers={"ETag": etag(told)})

    @documented("Remove a group", tag=_TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412))
    def delete(self, request: Request, name: str) -> Response:
        """Its members stay, without its rights, and what it owned is nobody's."""
        caller = staff(request)
        caller.require("auth.delete_group")
        with at_once(revocation.hold_order):
            row = _named(name, is_held=True)
            require_match(request, etag(group_json(row)))
            note(caller, "delete", row, picture(row), None)
            row.delete()
        return Response(status=204)


class PermissionsView(ControlEndpoint):
    """All rights that a group can bring."""

    @lists(
        "List permissions",
        tag=_TAG,
        asks=[text("search", "Part of what it is about, or of its name after the point.")],
        answers=PermissionsPage,
    )
    def get(self, request: Request) -> Response:
        """A page at a time."""
        staff(request).require(_SEE)
        rows = searched(Permission.objects.select_related("content_type"), request, "name", "codename")
        return Response(page(rows, request, "permissions", _permission_json))


def group_json(row: Group) -> dict[str, Any]:
    """All of it."""
    return {"name": row.name, "permissions": sorted(map(right_name, row.permissions.all()))}


def _permission_json(row: Permission) -> dict[str, Any]:
    return {"name": right_name(row), "about": row.name}


def _become(row: Group | None, name: str, given: Mapping[str, Any], caller: Caller) -> None:
    """Writes what differs; refused where the caller would pass on what it does not have."""
    rights = _rights(given["permissions"], "permissions")
    before = None if row is None else picture(row)
    kept = Group(name=name) if row is None else row
    there = set() if row is None else {each.pk for each in row.permissions.all()}
    if missing := caller.beyond(each for each in rights if each.pk not in there):
        listed = ", ".join(missing[:_SHOWN_RIGHTS])
        raise forbidden(f"Nobody passes on a right that they do not have: {listed}.")
    if row is None:
        if name != name.strip():
            raise invalid({"name": "This begins or ends with a space."})
        kept.full_clean()
        kept.save()
    if there != {each.pk for each in rights}:
        kept.permissions.set(rights)
    note(caller, "create" if before is None else "change", kept, before, picture(kept))


def _rights(names: Iterable[str], field: str) -> list[Permission]:
    """Permissions that are there; others are refused, as a mistyped one would bring nothing."""
    known = {right_name(each): each for each in Permission.objects.select_related("content_type")}
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise invalid({field: f'There is no permission "{name}"{did_you_mean(name, known)}.'})
    return [known[name] for name in wanted]


def _rows(*, is_held: bool = False) -> "QuerySet[Group]":
    rows = Group.objects.select_for_update() if is_held else Group.objects.all()
    return rows.prefetch_related(_RIGHTS)


def _named(name: str, *, is_held: bool = False) -> Group:
    found = _rows(is_held=is_held).filter(name=name).first()
    if found is None:
        raise not_found(f'There is no group "{name}".')
    return found
