"""D: `/control/v1/users…`, `/control/v1/sessions…`: accounts, and what is signed in."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import accounts, revocation, sessions
from authproxy.control.preconditions import etag
from authproxy.models import Session
from authproxy.moments import rfc3339
from authproxy.refusing import forbidden, invalid, not_found
from authproxy.serializers import Shape, password_field
from authproxy.views.control.access import groups_named, require_reach
from authproxy.views.control.asking import ControlEndpoint, at_once, changing, require_match, shown, word
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.noting import note
from authproxy.views.control.parameters import CHANGING, IF_MATCH, READING, lists, shows, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import flagged, page, searched
from authproxy.views.documented import documented
from routing.auditing import gathering

_TAG: Final = "Access"
_BOOL: Final = {"type": "boolean"}
_ENDED: Final = "ended by staff"


class AccountShape(Shape):
    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    staff = serializers.BooleanField()
    superuser = serializers.BooleanField()
    active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_login = serializers.DateTimeField(allow_null=True)


class AccountMade(AccountShape):
    password = serializers.CharField(required=False, help_text="Where it was made up; it is shown this once.")


class AccountsPage(Shape):
    users = AccountShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class AccountPatch(Shape):
    """What is not given stays."""

    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    roles = serializers.ListField(child=serializers.CharField(max_length=150), max_length=200, required=False)
    staff = serializers.BooleanField(required=False)
    active = serializers.BooleanField(required=False)
    password = password_field()

    def get_fields(self) -> Any:
        """A password may be given, too."""
        found = super().get_fields()
        found["password"].required = False
        return found


class NewAccount(AccountPatch):
    username = serializers.CharField(max_length=150)


class ControlSessionShape(Shape):
    id = serializers.UUIDField()
    username = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    address = serializers.CharField()
    user_agent = serializers.CharField()


class SessionsPage(Shape):
    sessions = ControlSessionShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class UsersView(ControlEndpoint):
    """All accounts."""

    @lists(
        "List accounts",
        tag=_TAG,
        asks=[
            text("search", "Part of the name or the address."),
            text("role", "Those who have it."),
            parameter("staff", "", type=_BOOL),
            parameter("active", "", type=_BOOL),
        ],
        answers=AccountsPage,
    )
    def get(self, request: Request) -> Response:
        """In the order in which they were made, a page at a time."""
        staff(request).require("auth.view_user")
        rows = searched(User.objects.prefetch_related("groups"), request, "username", "email")
        if role := word(request, "role"):
            rows = rows.filter(groups__name=role)
        rows = flagged(rows, request, "staff", Q(is_staff=True))
        rows = flagged(rows, request, "active", Q(is_active=True))
        return Response(page(rows, request, "users", account_json))

    @documented(
        "Create an account",
        tag=_TAG,
        takes=NewAccount,
        answers={201: AccountMade},
        errors=(400, 401, 403, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """Without a password one is made up, and shown this once."""
        caller = staff(request)
        caller.require("auth.add_user")
        wanted = NewAccount(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with changing():
            password = given.get("password")
            if password is not None:
                _require_good(password, User(username=given["username"], email=given.get("email", "")))
            roles = groups_named(given.get("roles", ()))
            with gathering("account.create", by=caller.name):
                user, made_up = accounts.create(
                    given["username"],
                    email=given.get("email", ""),
                    password=password,
                    roles=roles,
                    is_staff=given.get("staff", False),
                )
                if not given.get("active", True):
                    accounts.set_active([user], False, by=caller.name)
        told = account_json(account_named(user.username))
        headers = {"ETag": etag(told)}
        return Response(told if password else {**told, "password": made_up}, status=201, headers=headers)


class UserView(ControlEndpoint):
    """One account."""

    @shows("Show an account", tag=_TAG, answers=AccountShape)
    def get(self, request: Request, username: str) -> Response:
        """As it is now."""
        staff(request).require("auth.view_user")
        told = account_json(account_named(username))
        return shown(request, told, etag(told))

    @documented(
        "Change an account",
        tag=_TAG,
        takes=AccountPatch,
        asks=[IF_MATCH],
        answers={200: AccountShape},
        errors=(*CHANGING, 404),
    )
    def patch(self, request: Request, username: str) -> Response:
        """What is given; a new password or `active: false` ends its sessions."""
        caller = staff(request)
        caller.require("auth.change_user")
        wanted = AccountPatch(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with at_once(revocation.hold_order), gathering("account.change", by=caller.name):
            user = account_named(username, is_held=True)
            before = account_json(user)
            require_match(request, etag(before))
            _become(user, given, caller)
            told = account_json(account_named(username))
            new = {"password": "another"} if "password" in given else {}
            note(caller, "change", user, before, {**told, **new})
        return Response(told, headers={"ETag": etag(told)})

    @documented(
        "Remove an account", tag=_TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412)
    )
    def delete(self, request: Request, username: str) -> Response:
        """With its consumer and its keys; nobody removes the account that calls."""
        caller = staff(request)
        caller.require("auth.delete_user")
        with at_once(revocation.hold_order):
            user = account_named(username, is_held=True)
            require_reach(caller, user)
            if caller.account is not None and caller.account.pk == user.pk:
                raise forbidden("Nobody removes the account by which they are signed in.")
            before = account_json(user)
            require_match(request, etag(before))
            user.delete()
            note(caller, "delete", user, before, None)
        return Response(status=204)


class ControlSessionsView(ControlEndpoint):
    """All open sessions."""

    @lists(
        "List open sessions",
        tag=_TAG,
        asks=[text("username", "Of this account.")],
        answers=SessionsPage,
    )
    def get(self, request: Request) -> Response:
        """A page at a time."""
        staff(request).require("authproxy.view_session")
        rows = sessions.live().select_related("user")
        if username := word(request, "username"):
            rows = rows.filter(user__username=username)
        return Response(page(rows, request, "sessions", session_json))


class ControlSessionView(ControlEndpoint):
    """One of them."""

    @shows("Show a session", tag=_TAG, answers=ControlSessionShape)
    def get(self, request: Request, pk: UUID) -> Response:
        """While it is open."""
        staff(request).require("authproxy.view_session")
        told = session_json(_session(pk, sessions.live()))
        return shown(request, told, etag(told))

    @documented(
        "End somebody's session", tag=_TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412)
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """With all its tokens, everywhere within a second."""
        caller = staff(request)
        caller.require("authproxy.change_session")
        with at_once(revocation.hold_order):
            row = _session(pk, sessions.live().select_for_update(of=("self",)))
            require_match(request, etag(session_json(row)))
            sessions.end(row, reason=_ENDED, by=caller.name)
        return Response(status=204)


def _session(pk: UUID, rows: QuerySet[Session]) -> Session:
    found = rows.select_related("user").filter(pk=pk).first()
    if found is None:
        raise not_found("There is no such session, or it has ended.")
    return found


def account_named(name: str, *, is_held: bool = False) -> User:
    """The account; refused if there is none. `is_held`: nobody else changes it until the end of the transaction."""
    rows = User.objects.select_for_update() if is_held else User.objects.all()
    found = rows.prefetch_related("groups").filter(username=name).first()
    if found is None:
        raise not_found(f'There is no account "{name}".')
    return found


def account_json(user: User) -> dict[str, Any]:
    """All but its password."""
    return {
        "id": user.pk,
        "username": user.get_username(),
        "email": user.email,
        "roles": sorted(group.name for group in user.groups.all()),
        "staff": user.is_staff,
        "superuser": user.is_superuser,
        "active": user.is_active,
        "created_at": rfc3339(user.date_joined),
        "last_login": rfc3339(user.last_login),
    }


def session_json(row: Session) -> dict[str, Any]:
    """All but its secrets, of which only hashes are kept."""
    return {
        "id": str(row.pk),
        "username": row.user.get_username(),
        "created_at": rfc3339(row.created_at),
        "last_seen_at": rfc3339(row.last_seen_at),
        "expires_at": rfc3339(row.expires_at),
        "address": row.address,
        "user_agent": row.user_agent,
    }


def _require_good(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise invalid({"password": error.messages}) from error


def _become(user: User, given: Mapping[str, Any], caller: Caller) -> None:
    """Writes what differs; signals tell it to every worker."""
    require_reach(caller, user)
    if caller.account is not None and caller.account.pk == user.pk and {"staff", "active"} & given.keys():
        raise forbidden("Nobody changes whether the own account is staff, or active.")
    if "email" in given and User.objects.filter(username__iexact=given["email"]).exclude(pk=user.pk).exists():
        raise invalid({"email": "This is somebody's name."})
    user.changed_by = caller.name  # type: ignore[attr-defined]
    user.email = given.get("email", user.email)
    user.is_staff = given.get("staff", user.is_staff)
    user.is_active = given.get("active", user.is_active)
    if (password := given.get("password")) is not None:
        _require_good(password, user)
        user.set_password(password)
    user.save()
    if "roles" in given:
        user.groups.set(groups_named(given["roles"]))
