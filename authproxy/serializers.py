"""D: The shapes of what the endpoints take and answer: they check what comes in, and document both."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

_LONGEST_PASSWORD = 1024
_LONGEST_TOKEN = 16_384


class Shape(serializers.Serializer[Any]):
    """A JSON object."""


@extend_schema_field({"description": "Any JSON value, null included."})
class AnyValue(serializers.JSONField):
    """Described as what may be null and anything else, null would be one of two, which a validator refuses."""


@extend_schema_field({"type": ["integer", "string", "null"]})
class UserId(serializers.JSONField):
    """A number for an account of the gateway, a text for somebody of an identity provider's, null else."""


def password_field() -> serializers.CharField:
    return serializers.CharField(max_length=_LONGEST_PASSWORD, trim_whitespace=False, write_only=True)


class UserShape(Shape):
    """Who calls."""

    id = UserId(
        help_text="A number for an account of the gateway, a text for somebody of an identity provider's, null else."
    )
    username = serializers.CharField()
    email = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())


class WhoShape(UserShape):
    consumer = serializers.CharField()
    kind = serializers.ChoiceField(["user", "service"])
    plan = serializers.CharField(allow_null=True)
    staff = serializers.BooleanField()
    method = serializers.ChoiceField(["jwt", "api_key", "session"])
    provider = serializers.CharField(allow_null=True)


class Registration(Shape):
    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = password_field()


class Registered(Shape):
    user = UserShape()


class Login(Shape):
    """One of `username` and `email`; `otp` where the account has a second factor."""

    username = serializers.CharField(max_length=254, required=False)
    email = serializers.CharField(max_length=254, required=False)
    password = password_field()
    otp = serializers.CharField(max_length=32, required=False, help_text="Authenticator or recovery code.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("username" in attrs) == ("email" in attrs):
            raise serializers.ValidationError({"username": ["Give either username or email."]})
        return attrs


class Refreshing(Shape):
    refresh = serializers.CharField(
        max_length=_LONGEST_TOKEN, required=False, help_text="Without it, the cookie's."
    )


class Pair(Shape):
    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds that `access` lives.")
    user = UserShape()


class Validity(Shape):
    valid = serializers.BooleanField()
    user = UserShape()
    expires_at = serializers.DateTimeField(allow_null=True)


class KeyShape(Shape):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The beginning of the key, to recognise it by.")
    scopes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="null: all of the account's."
    )
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class Keys(Shape):
    keys = KeyShape(many=True)


class NewKey(Shape):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        allow_null=True,
        max_length=200,
        help_text="null: all of the account's. They narrow neither roles nor level.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class KeyWithSecret(KeyShape):
    key = serializers.CharField(help_text="The key itself; it is shown this once.")


class SessionShape(Shape):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    address = serializers.CharField()
    user_agent = serializers.CharField()
    current = serializers.BooleanField()


class Sessions(Shape):
    sessions = SessionShape(many=True)


class TokenRequest(Shape):
    grant_type = serializers.ChoiceField(["password", "refresh_token", "client_credentials"])
    username = serializers.CharField(required=False)
    password = serializers.CharField(required=False)
    otp = serializers.CharField(required=False)
    refresh_token = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False, help_text="The name of a service consumer.")
    client_secret = serializers.CharField(required=False, help_text="One of its API keys.")
    scope = serializers.CharField(required=False, help_text="Fewer scopes than there are, space-separated.")


class TokenAnswer(Shape):
    access_token = serializers.CharField()
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField()
    refresh_token = serializers.CharField(required=False)
    scope = serializers.CharField()


class OAuthError(Shape):
    error = serializers.CharField()
    error_description = serializers.CharField()


class KeySet(Shape):
    keys = serializers.ListField(child=serializers.DictField())


class ErrorDetail(Shape):
    code = serializers.CharField()
    message = serializers.CharField()
    details = serializers.DictField()


class ErrorEnvelope(Shape):
    error = ErrorDetail()
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
