"""D: `/control/v1/consumers…`: who calls the API, and the keys that they call it with."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import apikeys, consumers, revocation
from authproxy.control.preconditions import etag
from authproxy.models import ApiKey, Consumer
from authproxy.moments import rfc3339
from authproxy.refusing import forbidden, invalid, not_found
from authproxy.rows.consumers import KINDS
from authproxy.serializers import KeyShape, NewKey, Shape
from authproxy.views.control.asking import (
    ControlEndpoint,
    at_once,
    changing,
    require_match,
    shown,
    word,
)
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.noting import note
from authproxy.views.control.parameters import CHANGING, IF_MATCH, IF_NONE_MATCH, READING, lists, shows, text
from authproxy.views.control.parameters import query as parameter
from authproxy.views.control.tables import flagged, one_of, page, searched
from authproxy.views.documented import documented
from routing.auditing import gathering

_TAG: Final = "Access"
_BOOL: Final = {"type": "boolean"}


class ConsumerShape(Shape):
    """`account` names the account that it is, if it is one."""

    name = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    enabled = serializers.BooleanField()
    plan = serializers.CharField(allow_null=True)
    roles = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField()
    account = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class ConsumersPage(Shape):
    consumers = ConsumerShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ConsumerWanted(Shape):
    """What is not given is as of a new one; `name` is the path's."""

    kind = serializers.ChoiceField(KINDS, default="user")
    enabled = serializers.BooleanField(default=True)
    plan = serializers.CharField(max_length=100, allow_null=True, allow_blank=True, default=None)
    roles = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200, default=list)
    scopes = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200, default=list)
    notes = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class ControlKeyShape(KeyShape):
    consumer = serializers.CharField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class ControlKeyWithSecret(ControlKeyShape):
    key = serializers.CharField(help_text="The key itself; it is shown this once.")


class KeysPage(Shape):
    keys = ControlKeyShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class ConsumersView(ControlEndpoint):
    """All consumers."""

    @lists(
        "List consumers",
        tag=_TAG,
        asks=[
            text("search", "Part of the name, the address, or the notes."),
            parameter("kind", "", enum=KINDS),
            text("plan", "Those on this plan."),
            parameter("enabled", "", type=_BOOL),
        ],
        answers=ConsumersPage,
    )
    def get(self, request: Request) -> Response:
        """In the order in which they were made, a page at a time."""
        staff(request).require("authproxy.view_consumer")
        rows = Consumer.objects.select_related("user").prefetch_related("roles")
        rows = searched(rows, request, "name", "user__email", "notes")
        if kind := one_of(request, "kind", KINDS):
            rows = rows.filter(kind=kind)
        if plan := word(request, "plan"):
            rows = rows.filter(plan=plan)
        rows = flagged(rows, request, "enabled", Q(enabled=True))
        return Response(page(rows, request, "consumers", consumer_json))


class ConsumerView(ControlEndpoint):
    """One consumer."""

    @shows("Show a consumer", tag=_TAG, answers=ConsumerShape)
    def get(self, request: Request, name: str) -> Response:
        """Without its keys."""
        staff(request).require("authproxy.view_consumer")
        told = consumer_json(consumer_named(name))
        return shown(request, told, etag(told))

    @documented(
        "Make or replace a consumer",
        tag=_TAG,
        takes=ConsumerWanted,
        asks=[IF_MATCH, IF_NONE_MATCH],
        answers={200: ConsumerShape, 201: ConsumerShape},
        errors=(*CHANGING, 409),
    )
    def put(self, request: Request, name: str) -> Response:
        """The same body again changes nothing. A consumer that is an account keeps its kind."""
        caller = staff(request)
        row = Consumer.objects.filter(name=name).first()
        caller.require("authproxy.change_consumer" if row is not None else "authproxy.add_consumer")
        wanted = ConsumerWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with at_once(revocation.hold_order), gathering(by=caller.name):
            row = Consumer.objects.select_for_update(of=("self",)).filter(name=name).first()
            caller.require(f"authproxy.{'add' if row is None else 'change'}_consumer")
            require_match(request, None if row is None else etag(consumer_json(row)))
            made = row is None
            if row is None:
                row = consumers.create(
                    name, kind=given["kind"], roles=groups_named(given["roles"]), scopes=given["scopes"],
                    plan=given["plan"] or "",
                )  # fmt: skip
            before = consumer_json(row)
            _become(row, given, caller)
            told = consumer_json(consumer_named(name))
            note(caller, "change", row, before, {**told, "enabled": before["enabled"]})
        return Response(told, status=201 if made else 200, headers={"ETag": etag(told)})

    @documented(
        "Remove a consumer", tag=_TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412)
    )
    def delete(self, request: Request, name: str) -> Response:
        """With its keys, everywhere within a second; an account of that name stays."""
        caller = staff(request)
        caller.require("authproxy.delete_consumer")
        with at_once(revocation.hold_order):
            row = consumer_named(name, is_held=True)
            require_reach(caller, row.user)
            require_match(request, etag(consumer_json(row)))
            consumers.delete(row)
        return Response(status=204)


class ConsumerKeysView(ControlEndpoint):
    """The keys of one consumer."""

    @lists(
        "List a consumer's keys",
        tag=_TAG,
        asks=[parameter("live", "Only those that were not revoked, or only those.", type=_BOOL)],
        answers=KeysPage,
        errors=(*READING, 404),
    )
    def get(self, request: Request, name: str) -> Response:
        """Never the secrets: only their hashes are kept."""
        staff(request).require("authproxy.view_apikey")
        rows = ApiKey.objects.filter(consumer=consumer_named(name)).select_related("consumer")
        return Response(page(flagged(rows, request, "live", Q(revoked_at=None)), request, "keys", key_json))

    @documented(
        "Create a consumer's key",
        tag=_TAG,
        takes=NewKey,
        answers={201: ControlKeyWithSecret},
        errors=(400, 401, 403, 404, 413, 415),
    )
    def post(self, request: Request, name: str) -> Response:
        """201 with the key itself, which is shown this once."""
        caller = staff(request)
        caller.require("authproxy.add_apikey")
        row = consumer_named(name)
        require_reach(caller, row.user)
        wanted = NewKey(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        with changing():
            key, secret = apikeys.create(
                row,
                given["name"],
                scopes=given.get("scopes"),
                expires_at=given.get("expires_at"),
                by=caller.name,
            )
        told = key_json(key)
        return Response(told | {"key": secret}, status=201, headers={"ETag": etag(told)})


class ConsumerKeyView(ControlEndpoint):
    """One of them."""

    @shows("Show a consumer's key", tag=_TAG, answers=ControlKeyShape)
    def get(self, request: Request, name: str, pk: int) -> Response:
        """Without its secret; also when it was revoked."""
        staff(request).require("authproxy.view_apikey")
        told = key_json(_key(name, pk, ApiKey.objects.all()))
        return shown(request, told, etag(told))

    @documented(
        "Revoke a consumer's key", tag=_TAG, asks=[IF_MATCH], answers={204: None}, errors=(*READING, 404, 412)
    )
    def delete(self, request: Request, name: str, pk: int) -> Response:
        """For good, everywhere within a second."""
        caller = staff(request)
        caller.require("authproxy.change_apikey")
        with at_once(revocation.hold_order):
            row = _key(name, pk, ApiKey.objects.filter(revoked_at=None).select_for_update(of=("self",)))
            require_match(request, etag(key_json(row)))
            apikeys.revoke(row, by=caller.name)
        return Response(status=204)


def _key(name: str, pk: int, rows: QuerySet[ApiKey]) -> ApiKey:
    rows = rows.filter(pk=pk, consumer__name=name).select_related("consumer")
    found = rows.first() if pk < 2**63 else None
    if found is None:
        raise not_found("There is no such key, or it was revoked before.")
    return found


def consumer_named(name: str, *, is_held: bool = False) -> Consumer:
    """The consumer; refused if there is none. `is_held`: nobody else changes it until the end of the transaction."""
    rows = Consumer.objects.select_for_update(of=("self",)) if is_held else Consumer.objects.all()
    found = rows.select_related("user").prefetch_related("roles").filter(name=name).first()
    if found is None:
        raise not_found(f'There is no consumer "{name}".')
    return found


def groups_named(names: Iterable[str]) -> list[Group]:
    """Roles that are there; others are refused, as a mistyped one would bring nothing."""
    wanted = list(dict.fromkeys(names))
    found = {group.name: group for group in Group.objects.filter(name__in=wanted)}
    if missing := [name for name in wanted if name not in found]:
        raise invalid({"roles": f"There is no role {', '.join(missing)}."})
    return [found[name] for name in wanted]


def require_reach(caller: Caller, account: Any) -> None:
    """Superusers are beyond the reach of those who are not: whoever administers access could otherwise become one."""
    me = caller.account
    if account is not None and account.is_superuser and me is not None and not me.is_superuser:
        raise forbidden("This is a superuser's: it takes another one.")


def consumer_json(row: Consumer) -> dict[str, Any]:
    """All but its keys."""
    return {
        "name": row.name,
        "kind": row.kind,
        "enabled": row.enabled,
        "plan": row.plan or None,
        "roles": sorted(role.name for role in row.roles.all()),
        "scopes": list(row.scopes or []),
        "notes": row.notes,
        "account": row.user.get_username() if row.user is not None else None,
        "created_at": rfc3339(row.created_at),
    }


def key_json(row: ApiKey) -> dict[str, Any]:
    """All but its secret, which nobody has."""
    return {
        "id": row.pk,
        "consumer": row.consumer.name,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
        "last_used_at": rfc3339(row.last_used_at),
        "revoked_at": rfc3339(row.revoked_at),
    }


def _become(row: Consumer, given: Mapping[str, Any], caller: Caller) -> None:
    """Writes what differs; signals tell it to every worker."""
    require_reach(caller, row.user)
    if row.user is None:
        row.kind = given["kind"]
    elif given["kind"] != row.kind:
        raise invalid({"kind": "An account is of kind user."})
    wanted = {
        "plan": given["plan"] or "",
        "scopes": list(dict.fromkeys(given["scopes"])) or None,
        "notes": given["notes"],
    }
    if any(getattr(row, name) != value for name, value in wanted.items()) or row.kind != _kind(row):
        for name, value in wanted.items():
            setattr(row, name, value)
        row.clean_fields()
        row.save()
    roles = groups_named(given["roles"])
    if {role.pk for role in row.roles.all()} != {role.pk for role in roles}:
        row.roles.set(roles)
    if row.enabled != given["enabled"]:
        consumers.set_enabled(Consumer.objects.filter(pk=row.pk), given["enabled"], by=caller.name)


def _kind(row: Consumer) -> str:
    return str(Consumer.objects.values_list("kind", flat=True).get(pk=row.pk))
