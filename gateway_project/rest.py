"""D: Settings of Django REST framework and what belongs to it, and its refusals as the error envelope."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from authproxy import problems
from authproxy.refusing import Refused
from authproxy.rejections import Code, Rejection
from gateway_project import errors
from gateway_project.config import GatewayConfig

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],  # the pipeline has verified the credential before
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["authproxy.parsing.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "gateway_project.rest.answer_refusal",
    "UNAUTHENTICATED_USER": None,
}


def simple_jwt(config: GatewayConfig) -> dict[str, Any]:
    """What SimpleJWT issues; keys and the issuer are `authproxy.issuing`'s."""
    return {
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=config.access_token_expire_minutes),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=config.refresh_token_expire_days),
        "USER_ID_CLAIM": "sub",
        "ISSUER": config.service_name,
        "ALGORITHM": config.jwt_algorithm,
    }


def spectacular(config: GatewayConfig) -> dict[str, Any]:
    """The OpenAPI document's frame, and where the page that shows it comes from."""
    return {
        "TITLE": f"{config.service_name}: the gateway's own API",
        "VERSION": "1",
        "OAS_VERSION": "3.1.0",
        "SERVE_INCLUDE_SCHEMA": False,
        "SERVE_PUBLIC": True,
        "SWAGGER_UI_DIST": "SIDECAR",
        "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
        "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
        "APPEND_COMPONENTS": {"securitySchemes": SECURITY_SCHEMES},
        "SECURITY": [{name: []} for name in SECURITY_SCHEMES],
        "COMPONENT_SPLIT_REQUEST": True,
        "ENUM_NAME_OVERRIDES": ENUMS,
        "POSTPROCESSING_HOOKS": [
            "drf_spectacular.hooks.postprocess_schema_enums",
            "gateway_project.documentdocs.add",
            "gateway_project.healthdocs.add",
            "gateway_project.eventdocs.add",
        ],
    }


ENUMS: dict[str, list[str]] = {
    "BreakerStateEnum": ["closed", "open", "half_open"],
    "BreakerForceEnum": ["open", "closed"],
    "TargetStateEnum": ["healthy", "unhealthy", "ejected", "unchecked"],
    "ExplainedTargetStateEnum": [
        "healthy", "unhealthy", "ejected", "unchecked", "draining", "quarantined", "stale",
    ],
    "CanaryStateEnum": ["running", "paused", "promoted", "rolled_back"],
    "ScheduleStateEnum": ["waiting", "scheduled", "active", "done", "conflict", "missed", "cancelled"],
    "LeaseStateEnum": ["pending", "approved", "ended"],
    "RegisteredStateEnum": ["pending", "approved"],
    "ConsumerKindEnum": ["user", "service"],
    "ReplayKindEnum": ["elsewhere", "refused", "admitted", "refused_otherwise", "unknown"],
    "PurgeKindEnum": ["all", "route", "tag", "url"],
    "ReceiverKindEnum": ["webhook", "email"],
    "IncidentKindEnum": ["breaker", "target", "slo", "certificate", "revision", "schedule"],
    "DeliveryStateEnum": ["waiting", "sent", "failed"],
    "SeverityEnum": ["warning", "critical"],
    "ChangeActionEnum": ["added", "removed", "changed"],
    "TopicActionEnum": ["subscribe", "publish"],
}  # fmt: skip
"""Of fields that several shapes call the same, and mean otherwise: the names that generated clients have for them."""
SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "torana_session"},
}


def answer_refusal(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """The envelope for what an endpoint refuses, whatever is accepted, as of what it answers; None for what is nobody's
    refusal, which Django reports."""
    rejection = _rejection(error, context)
    if rejection is None:
        return None
    return errors.answer(context["request"]._request, rejection, is_for_programs=True)


def _rejection(error: Exception, context: dict[str, Any]) -> Rejection | None:
    match error:
        case Refused():
            return error.rejection
        case exceptions.ValidationError():
            details = error.detail if isinstance(error.detail, dict) else {"body": error.detail}
            return Rejection(Code.VALIDATION_ERROR, "Some fields are not valid.", details=_plain(details))
        case exceptions.MethodNotAllowed():
            return problems.method_not_allowed(tuple(context["view"].allowed_methods))
        case exceptions.UnsupportedMediaType():
            return Rejection(Code.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON.")
        case exceptions.ParseError():
            return Rejection(Code.INVALID_REQUEST, str(error.detail))
        case exceptions.NotFound() | Http404():
            return Rejection(Code.NOT_FOUND, "There is nothing here.")
        case exceptions.PermissionDenied() | PermissionDenied():
            return Rejection(Code.FORBIDDEN, "You may not do this.")
    return None


def _plain(detail: Any) -> Any:
    """DRF's texts know their code; an envelope wants plain ones."""
    if isinstance(detail, dict):
        return {str(name): _plain(each) for name, each in detail.items()}
    if isinstance(detail, list):
        return [_plain(each) for each in detail]
    return str(detail)
