"""D: The endpoints of events in the OpenAPI document: no view of Django's answers them."""

from typing import Any, Final

from django.conf import settings

from gateway_project.healthdocs import Json

TAG: Final = "Events"
_CREDENTIALS: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"apiKey": []}, {"session": []}]
_TEXT: Final[Json] = {"type": "string"}
_ONE: Final[Json] = {
    "type": "object",
    "properties": {
        "topic": {"type": "string", "maxLength": 200},
        "user": {"type": "string", "description": "The topic of this user's own connections."},
        "connection": {"type": "string", "description": "The topic of one connection."},
        "type": {"type": "string", "minLength": 1, "maxLength": 100},
        "data": {"description": "Anything that JSON has, up to 64 KB."},
    },
    "required": ["type"],
}
_TOLD: Final[Json] = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "topic": _TEXT,
        "type": _TEXT,
        "timestamp": {"type": "string", "format": "date-time"},
    },
    "required": ["id", "topic", "type", "timestamp"],
}
_ALL_TOLD: Final[Json] = {
    "type": "object",
    "properties": {"events": {"type": "array", "items": _TOLD}},
    "required": ["events"],
}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _refusal(description: str) -> Json:
    return {"description": description, "content": _json({"$ref": "#/components/schemas/ErrorEnvelope"})}


_REFUSALS: Final = {
    "400": _refusal("`INVALID_REQUEST`: a parameter or field that cannot be read; `details` says which."),
    "401": _refusal("`AUTH_ERROR`: no credential, or none that holds; `details.reason` says which."),
    "403": _refusal("`FORBIDDEN`: no rule lets this caller; `details` names the topic."),
    "503": _refusal("`SERVICE_UNAVAILABLE`: not now; of a list, `details.published` were."),
}


def _parameter(name: str, place: str, about: str, **more: Any) -> Json:
    return {"name": name, "in": place, "description": about, "schema": _TEXT, **more}


def _publish() -> Json:
    many = {"type": "array", "items": _ONE, "minItems": 1, "maxItems": 100}
    return {
        "operationId": "publishEvents",
        "summary": "Publish events",
        "description": "For services and staff, unless rules say otherwise. All of a list, or none.",
        "tags": [TAG],
        "security": _CREDENTIALS,
        "parameters": [_parameter("Idempotency-Key", "header", "Sent again, it publishes nothing twice.")],
        "requestBody": {"required": True, "content": _json({"anyOf": [_ONE, many]})},
        "responses": {
            "202": {"description": "They are on their way.", "content": _json({"anyOf": [_TOLD, _ALL_TOLD]})},
            **_REFUSALS,
            "400": _refusal("`VALIDATION_ERROR`: `details.errors` lists what is wrong by place."),
            "413": _refusal("`PAYLOAD_TOO_LARGE`: over 1 MB."),
            "415": _refusal("`UNSUPPORTED_MEDIA_TYPE`: it must be JSON."),
        },
    }


def _stream() -> Json:
    topics = _parameter("topic", "query", "Up to 20.", required=True)
    topics["schema"] = {"type": "array", "items": _TEXT, "maxItems": 20}
    events = {
        "text/event-stream": {"schema": {"type": "string", "description": "`data` is an event as JSON."}}
    }
    return {
        "operationId": "followEvents",
        "summary": "Follow topics as server-sent events",
        "tags": [TAG],
        "security": _CREDENTIALS,
        "parameters": [
            topics,
            _parameter("Last-Event-ID", "header", "From behind this event on."),
            _parameter("last_event_id", "query", "The same, where no field can be set."),
        ],
        "responses": {
            "200": {"description": "Events as they happen, until the client leaves.", "content": events},
            **_REFUSALS,
            "429": _refusal("`RATE_LIMIT`: too many streams of this caller."),
        },
    }


def paths(prefix: str) -> dict[str, Json]:
    """By path; `prefix` is API_PREFIX, without a slash at its end."""
    return {f"{prefix}/events": {"post": _publish()}, f"{prefix}/events/stream": {"get": _stream()}}


def add(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A hook of drf-spectacular's."""
    del generator, request, public
    found = {**result["paths"], **paths(settings.CONFIG.api_prefix.rstrip("/"))}
    result["paths"] = dict(sorted(found.items()))
    return result
