"""D: `users/me/keys` and `users/me/sessions`: what an account has given out, and takes back."""

from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import accounts, apikeys, problems, sessions
from authproxy.granting import standing_of_consumer
from authproxy.identity import Identity
from authproxy.liveroles import live_roles
from authproxy.models import ApiKey, Consumer, Session
from authproxy.moments import rfc3339
from authproxy.refusing import Refused, invalid, not_found
from authproxy.serializers import Keys, KeyWithSecret, NewKey, Sessions
from authproxy.views.base import Endpoint, required_account
from authproxy.views.documented import documented

_TAG: Final = "Account"


class KeysView(Endpoint):
    """The account's API keys."""

    @documented("List API keys", tag=_TAG, answers={200: Keys}, errors=(401, 403))
    def get(self, request: Request) -> Response:
        """Those that were not revoked, newest first."""
        _, user = required_account(request, by_key=True)
        rows = ApiKey.objects.filter(consumer__user=user, revoked_at=None)
        return Response({"keys": [_key(row) for row in rows]})

    @documented(
        "Create an API key",
        tag=_TAG,
        takes=NewKey,
        answers={201: KeyWithSecret},
        errors=(400, 401, 403, 413, 415),
    )
    def post(self, request: Request) -> Response:
        """201 with the key itself, which is shown this once. It is no stronger than the credential that makes it."""
        identity, user = required_account(request, by_key=False)
        wanted = NewKey(data=request.data)
        wanted.is_valid(raise_exception=True)
        given = wanted.validated_data
        try:
            consumer = accounts.consumer_of(user)
            row, secret = apikeys.create(
                consumer,
                given["name"],
                scopes=_ceiling(identity, consumer, given.get("scopes")),
                expires_at=given.get("expires_at"),
                by=user.username,
            )
        except ValidationError as error:
            raise _by_field(error) from error
        return Response(_key(row) | {"key": secret}, status=201)


class KeyView(Endpoint):
    """One of them."""

    @documented("Revoke an API key", tag=_TAG, answers={204: None}, errors=(401, 403, 404))
    def delete(self, request: Request, pk: int) -> Response:
        """204; what is somebody else's is not found."""
        _, user = required_account(request, by_key=False)
        row = (
            ApiKey.objects.filter(pk=pk, consumer__user=user, revoked_at=None).first() if pk < 2**63 else None
        )
        if row is None:
            raise not_found("There is no such key.")
        apikeys.revoke(row, by=user.username)
        return Response(status=204)


class SessionsView(Endpoint):
    """The account's sessions."""

    @documented("List sessions", tag=_TAG, answers={200: Sessions}, errors=(401, 403))
    def get(self, request: Request) -> Response:
        """Those that go on, newest first."""
        identity, user = required_account(request, by_key=True)
        rows = sessions.live(user).order_by("-created_at")
        return Response({"sessions": [_session(row, identity) for row in rows]})


class SessionView(Endpoint):
    """One of them."""

    @documented("End a session", tag=_TAG, answers={204: None}, errors=(401, 403, 404))
    def delete(self, request: Request, pk: UUID) -> Response:
        """204; what is somebody else's is not found."""
        _, user = required_account(request, by_key=False)
        row = sessions.live(user).filter(pk=pk).first()
        if row is None:
            raise not_found("There is no such session.")
        sessions.end(row, reason="ended by the user", by=user.username)
        return Response(status=204)


def _ceiling(identity: Identity, consumer: Consumer, wanted: list[str] | None) -> list[str] | None:
    """The scopes of a new key: never more than those of the credential that makes it."""
    has = identity.scopes(live_roles().scopes)
    if missing := set(wanted or ()) - has:
        raise Refused(problems.forbidden({"missing_scopes": sorted(missing)}))
    if wanted is not None or identity.ceiling is None:
        return wanted
    standing = standing_of_consumer(consumer)
    return None if standing is not None and standing.scopes <= has else sorted(has)


def _by_field(error: ValidationError) -> Any:
    return invalid(error.message_dict if hasattr(error, "error_dict") else {"name": error.messages})


def _key(row: ApiKey) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "created_at": rfc3339(row.created_at),
        "expires_at": rfc3339(row.expires_at),
        "last_used_at": rfc3339(row.last_used_at),
    }


def _session(row: Session, identity: Identity) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "created_at": rfc3339(row.created_at),
        "last_seen_at": rfc3339(row.last_seen_at),
        "expires_at": rfc3339(row.expires_at),
        "address": row.address,
        "user_agent": row.user_agent,
        "current": identity.session == str(row.pk),
    }
