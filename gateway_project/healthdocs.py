"""D: Health and status in the OpenAPI document: the endpoints that no view of Django's answers."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

Json = dict[str, Any]
TAG: Final = "Health"
_ENVELOPE: Final[Json] = {"$ref": "#/components/schemas/ErrorEnvelope"}
_TEXT: Final[Json] = {"type": "string"}
_NUMBER: Final[Json] = {"type": "number"}
_WHOLE: Final[Json] = {"type": "integer"}
_TIME: Final[Json] = {"type": "string", "format": "date-time"}
_WORD: Final[Json] = {"type": "string", "enum": ["up", "degraded", "down"]}
_STATUS: Final[Json] = {"type": "string", "enum": ["healthy", "degraded", "unhealthy"]}


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: Json, *, optional: tuple[str, ...] = ()) -> Json:
    required = sorted(properties.keys() - set(optional))
    return {"type": "object", "properties": properties, "required": required}


def _by_name(schema: Json) -> Json:
    return {"type": "object", "additionalProperties": schema}


def _word(word: str) -> Json:
    return {"type": "string", "enum": [word]}


_COMPONENT: Final = _object(
    {
        "status": {"type": "string", "enum": ["healthy", "unhealthy", "disabled"]},
        "latency_ms": _nullable(_NUMBER),
        "reason": _TEXT,
        "decided_alone": _WHOLE,
    },
    optional=("latency_ms", "reason", "decided_alone"),
)
_RESOURCES: Final = _object(
    {
        "pid": _WHOLE,
        "uptime_s": _NUMBER,
        "rss_bytes": _nullable(_WHOLE),
        "cpu_s": _NUMBER,
        "open_fds": _nullable(_WHOLE),
        "open_sockets": _nullable(_WHOLE),
        "threads": _WHOLE,
        "event_loop_lag_ms": _NUMBER,
        "load": _nullable({"type": "array", "items": _NUMBER}),
        "cpus": _nullable(_WHOLE),
    }
)
_TARGET: Final = _object({"url": _TEXT, "state": _TEXT, "origin": _TEXT, "in_flight": _WHOLE})
_LAST_MINUTE: Final = _object(
    {
        "requests": _WHOLE,
        "requests_per_s": _NUMBER,
        "error_rate": _nullable(_NUMBER),
        "response_ms": _nullable(_object({"p50": _NUMBER, "p95": _NUMBER, "p99": _NUMBER})),
    }
)
_SERVICE: Final = _object(
    {
        "status": _WORD,
        "breaker": _nullable(_TEXT),
        "targets": {"type": "array", "items": _TARGET},
        "last_minute": _LAST_MINUTE,
    }
)
SCHEMAS: Final[Mapping[str, Json]] = {
    "Healthy": _object({"status": _word("healthy"), "version": _TEXT, "timestamp": _TIME}),
    "Alive": _object({"status": _word("alive"), "timestamp": _TIME}),
    "Ready": _object({"status": _word("ready"), "timestamp": _TIME}),
    "Unready": _object({"status": _word("unready"), "reason": _TEXT, "timestamp": _TIME}),
    "Status": _object(
        {"status": _WORD, "services": _by_name(_object({"status": _WORD})), "timestamp": _TIME},
    ),
    "DetailedHealth": _object(
        {
            "status": _STATUS,
            "version": _TEXT,
            "timestamp": _TIME,
            "reason": _TEXT,
            "worker": _object({"name": _TEXT, "role": _TEXT, "revision": _nullable(_WHOLE)}),
            "components": _by_name(_COMPONENT),
            "resources": _RESOURCES,
            "workers": _nullable({"type": "array", "items": {"type": "object"}}),
            "services": _by_name(_SERVICE),
            "dropped": _by_name(_WHOLE),
        },
        optional=("reason",),
    ),
}


def _answer(description: str, schema: str | Json) -> Json:
    shape = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    return {"description": description, "content": {"application/json": {"schema": shape}}}


def _get(
    name: str, summary: str, answers: Mapping[int, Json], *, about: str = "", public: bool = True
) -> Json:
    operation: Json = {"operationId": name, "summary": summary, "tags": [TAG]}
    if about:
        operation["description"] = about
    if public:
        operation["security"] = []
    operation["responses"] = {str(status): answer for status, answer in answers.items()}
    return {"get": operation}


_INVALID: Final = _answer(
    "`AUTH_ERROR`: a credential came that does not hold; `details.reason` says why.", _ENVELOPE
)
_DETAILED_ANSWERS: Final = {
    200: _answer("Healthy, or degraded: requests may come.", "DetailedHealth"),
    401: _answer("`AUTH_ERROR`: no credential, or none that holds; `details.reason` says which.", _ENVELOPE),
    403: _answer("`FORBIDDEN`: it is for staff.", _ENVELOPE),
    503: _answer("Unhealthy: no request should come, or none would be sent anywhere.", "DetailedHealth"),
}


def _metrics(name: str) -> Json:
    about = (
        "What all workers of this node have counted. Wants METRICS_TOKEN as a Bearer token, if there is one."
    )
    kinds = ("text/plain", "application/openmetrics-text")
    text = {"description": "As Accept asks.", "content": {kind: {"schema": _TEXT} for kind in kinds}}
    refusals = {status: _DETAILED_ANSWERS[status] for status in (401, 403)}
    return _get(name, "Metrics", {200: text, **refusals}, about=about, public=False)


def _detailed(name: str) -> Json:
    about = "How this worker, what it leans on, its neighbours and all services are. OPS_ACCESS may open it."
    return _get(name, "Detailed health", _DETAILED_ANSWERS, about=about, public=False)


def paths(prefix: str) -> dict[str, Json]:
    """The endpoints by their path; `prefix` is API_PREFIX, without a slash at its end."""
    healthy = {200: _answer("It answers.", "Healthy")}
    ready = {
        200: _answer("Traffic may come.", "Ready"),
        503: _answer("Draining, or no configuration.", "Unready"),
    }
    return {
        "/health": _get("health", "Whether the gateway answers", healthy),
        f"{prefix}/health": _get(
            "healthForClients",
            "Whether the gateway answers, and the credential holds",
            {**healthy, 401: _INVALID},
            about="Needs no credential, but refuses one that is not valid. Carries `X-RateLimit-*`.",
        ),
        "/health/live": _get("live", "Whether the process is alive", {200: _answer("It is.", "Alive")}),
        "/health/ready": _get("ready", "Whether traffic should come", ready),
        "/health/detailed": _detailed("detailedHealth"),
        "/monitoring/health": _detailed("monitoringHealth"),
        f"{prefix}/health/detailed": _detailed("detailedHealthForClients"),
        "/metrics": _metrics("metrics"),
        "/monitoring/metrics": _metrics("monitoringMetrics"),
        "/status": _get(
            "status", "Each service in one word", {200: _answer("As this worker sees them.", "Status")}
        ),
    }


def add(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A hook of drf-spectacular's: the document with these endpoints in their order."""
    del generator, request, public
    result["paths"] = dict(
        sorted({**result["paths"], **paths(settings.CONFIG.api_prefix.rstrip("/"))}.items())
    )
    schemas = result["components"]["schemas"]
    result["components"]["schemas"] = dict(sorted({**schemas, **SCHEMAS}.items()))
    return result
