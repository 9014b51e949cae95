"""D: `/control/v1/signing-keys…`: the keys that sign tokens, what each does now, and making the next one."""

from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy import signingkeys
from authproxy.control.preconditions import etag
from authproxy.models import SigningKey
from authproxy.refusing import not_found
from authproxy.serializers import Shape
from authproxy.views.control.asking import ControlEndpoint, changing, conflict, require_match, shown
from authproxy.views.control.calling import staff
from authproxy.views.control.parameters import IF_NONE_MATCH, READING, if_match, lists, shows
from authproxy.views.control.tables import NEWEST_FIRST, cut
from authproxy.views.documented import documented
from routing.locking import clear_errors

_TAG: Final = "Access"
_SEE: Final = "authproxy.view_signingkey"
_IF_NEWEST: Final = if_match("Only if this is the `ETag` of the newest key now.")


class SigningKeyShape(Shape):
    """The key itself is shown nowhere."""

    kid = serializers.CharField()
    algorithm = serializers.CharField()
    state = serializers.ChoiceField(
        signingkeys.STATES,
        help_text="Time changes it, so it is no part of the `ETag`. `unused`: JWT_SECRET is the only key.",
    )
    created_at = serializers.DateTimeField()
    activates_at = serializers.DateTimeField(help_text="From then on it signs.")
    retires_at = serializers.DateTimeField(
        allow_null=True, help_text="Until then it verifies; null before the next is made."
    )


class SigningKeysPage(Shape):
    algorithm = serializers.CharField(help_text="Of the key that is made next.")
    fixed = serializers.BooleanField(help_text="JWT_SECRET is the only key: nothing is rotated.")
    signing_keys = SigningKeyShape(many=True)
    total = serializers.IntegerField()
    next: Any = serializers.CharField(allow_null=True)


class SigningKeysView(ControlEndpoint):
    """All keys that rotation made; before the first one, an HS key that is derived from SECRET_KEY signs."""

    @lists("List signing keys", tag=_TAG, answers=SigningKeysPage)
    def get(self, request: Request) -> Response:
        """Newest first, a page at a time."""
        staff(request).require(_SEE)
        policy = signingkeys.KeyPolicy.of(settings.CONFIG)
        found = cut(_rows(), request, NEWEST_FIRST)
        keys = [signingkeys.as_json(*each) for each in signingkeys.with_states(found.rows)]
        told = found.under("signing_keys", keys)
        return Response({"algorithm": policy.algorithm, "fixed": policy.is_fixed, **told})


class SigningKeyView(ControlEndpoint):
    """One of them."""

    @shows("Show a signing key", tag=_TAG, answers=SigningKeyShape)
    def get(self, request: Request, kid: str) -> Response:
        """What it does now."""
        staff(request).require(_SEE)
        row = _rows().filter(kid=kid).first()
        if row is None:
            raise not_found(f'There is no signing key "{kid}".')
        told = _told(row)
        return shown(request, told, _tag(told))


class RotateKeysView(ControlEndpoint):
    """Making the next one."""

    @documented(
        "Rotate the signing keys",
        tag=_TAG,
        asks=[_IF_NEWEST, IF_NONE_MATCH],
        answers={201: SigningKeyShape},
        errors=(*READING, 409, 412),
    )
    def post(self, request: Request) -> Response:
        """It signs in ten seconds, when every worker knows it. Tokens that were signed before stay good until they
        expire."""
        caller = staff(request)
        caller.require("authproxy.add_signingkey")
        with changing(), clear_errors():
            try:
                row = signingkeys.shared().rotate(
                    actor=caller.name, judge=lambda: require_match(request, _newest())
                )
            except signingkeys.RotationRefused as refusal:
                raise conflict(f"{refusal}.") from refusal
        told = _told(row)
        return Response(told, status=201, headers={"ETag": _tag(told)})


def _rows() -> "QuerySet[SigningKey]":
    """Without the keys themselves, which nothing here needs."""
    return SigningKey.objects.defer("sealed")


def _told(row: SigningKey) -> dict[str, Any]:
    ((_, state),) = signingkeys.with_states([row])
    return signingkeys.as_json(row, state)


def _tag(told: dict[str, Any]) -> str:
    """Of what somebody made it: a key that begins to sign is still the one that whoever rotates has seen."""
    return etag({name: value for name, value in told.items() if name != "state"})


def _newest() -> str | None:
    row = _rows().order_by(*NEWEST_FIRST).first()
    return None if row is None else _tag(_told(row))
