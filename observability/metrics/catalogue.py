"""P: Every metric that there is: its name, what it says, its labels, and how those of several workers become one.

Labels are names of the configuration and words of the gateway's own, never something that a client may make up.
"""

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
Merge = Literal["sum", "max", "min"]
FIRST_LE_S: Final = 0.0005
BOUNDS_S: Final = tuple(FIRST_LE_S * 2**doubling for doubling in range(17))
"""Upper bounds of histograms: 0.5 ms, 1 ms, 2 ms, up to 32.768 s."""


class Family(NamedTuple):
    """`name` is as it is shown, `_total` included. Counters and histograms of workers are always added."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    merge: Merge = "sum"


REQUESTS: Final = "gateway_requests_total"
DURATION: Final = "gateway_request_duration_seconds"
RECEIVED: Final = "gateway_request_bytes_total"
SENT: Final = "gateway_response_bytes_total"
REFUSALS: Final = "gateway_refusals_total"
ATTEMPTS: Final = "gateway_upstream_attempts_total"
RETRIES: Final = "gateway_upstream_retries_total"
UPSTREAM: Final = "gateway_upstream_duration_seconds"
CONNECT: Final = "gateway_upstream_connect_seconds"
CACHE: Final = "gateway_cache_results_total"
WOULD: Final = "gateway_would_refuse_total"
MALFORMED: Final = "gateway_malformed_requests_total"
LAG: Final = "gateway_event_loop_lag_seconds"
DROPPED: Final = "gateway_dropped_total"
IN_FLIGHT: Final = "gateway_requests_in_flight"
BREAKER: Final = "gateway_breaker_state"
BREAKER_CHANGES: Final = "gateway_breaker_transitions_total"
TARGET_UP: Final = "gateway_target_healthy"
TARGET_EJECTED: Final = "gateway_target_ejected"
UPSTREAM_IN_FLIGHT: Final = "gateway_upstream_in_flight"
DECISIONS: Final = "gateway_rate_limit_decisions_total"
ALONE: Final = "gateway_rate_limit_decided_alone_total"
AUTH_FAILURES: Final = "gateway_auth_failures_total"
WEBSOCKETS: Final = "gateway_websocket_connections"
REVISION: Final = "gateway_config_revision"
OLDEST_REVISION: Final = "gateway_config_revision_oldest"
REVISION_SINCE: Final = "gateway_config_revision_timestamp_seconds"
REVISION_AGE: Final = "gateway_config_revision_age_seconds"
REFUSED_REVISION: Final = "gateway_config_refused"
ROUTES: Final = "gateway_config_routes"
REDIS_UP: Final = "gateway_redis_up"
REDIS_CALLS: Final = "gateway_redis_calls_total"
EVENTS: Final = "gateway_events_total"
EVENT_CLIENTS: Final = "gateway_event_clients_total"
SUBSCRIPTIONS: Final = "gateway_event_subscriptions"
BUS: Final = "gateway_bus_messages_total"
BUS_WAITING: Final = "gateway_bus_waiting"
ALERTS: Final = "gateway_alert_messages_total"
ALERTS_WAITING: Final = "gateway_alert_messages_waiting"
CERTIFICATE_EXPIRY: Final = "gateway_certificate_expiry_timestamp_seconds"
SPANS: Final = "gateway_spans_total"
WORKERS: Final = "gateway_workers"
BUILD: Final = "gateway_build_info"
PROCESS: Final = {
    "process_cpu_seconds_total": ("counter", "sum"),
    "process_resident_memory_bytes": ("gauge", "sum"),
    "process_virtual_memory_bytes": ("gauge", "sum"),
    "process_open_fds": ("gauge", "sum"),
    "process_max_fds": ("gauge", "min"),
    "process_start_time_seconds": ("gauge", "max"),
}
"""What prometheus_client tells of a process, and how it is added up."""

_OF_ROUTES: Final = (
    Family(
        REQUESTS,
        "counter",
        "Requests that are over. Without a route: the gateway's own endpoints, and what no route takes; "
        "status 499: the client left.",
        ("route", "service", "method", "status"),
    ),
    Family(
        DURATION, "histogram", "From the head of the request to the end of the answer.", ("route", "service")
    ),
    Family(
        RECEIVED,
        "counter",
        "Bodies of requests, as far as they announced their length.",
        ("route", "service"),
    ),
    Family(SENT, "counter", "Bodies of answers.", ("route", "service")),
    Family(
        REFUSALS,
        "counter",
        "What the gateway itself refused or failed, by the error's code.",
        ("route", "code"),
    ),
    Family(CACHE, "counter", "What X-Cache said.", ("route", "result")),
    Family(
        WOULD,
        "counter",
        "What policies in mode log would have refused.",
        ("route", "policy", "code"),
    ),
    Family(IN_FLIGHT, "gauge", "Requests that have begun and are not over."),
    Family(
        MALFORMED,
        "counter",
        "Requests that were refused before they were read to the end of their head, and connections beyond the limit.",
        ("status", "code"),
    ),
    Family(
        WEBSOCKETS,
        "gauge",
        "WebSocket connections that stand. Without a route: the gateway's own events.",
        ("route",),
    ),
)
_OF_SERVICES: Final = (
    Family(ATTEMPTS, "counter", "Requests to targets, by how they ended.", ("service", "target", "outcome")),
    Family(RETRIES, "counter", "Attempts after the first.", ("service",)),
    Family(UPSTREAM, "histogram", "From the first attempt to the head of the answer.", ("service",)),
    Family(
        CONNECT,
        "histogram",
        "What opening connections took, those that failed included, of requests for which some were opened.",
        ("service",),
    ),
    Family(UPSTREAM_IN_FLIGHT, "gauge", "Requests that a service has and has not answered.", ("service",)),
    Family(
        BREAKER,
        "gauge",
        "0: closed, 1: half open, 2: open; of several workers the highest.",
        ("service",),
        "max",
    ),
    Family(
        BREAKER_CHANGES, "counter", "Changes of a worker's breaker, by what it became.", ("service", "state")
    ),
    Family(
        TARGET_UP,
        "gauge",
        "1: its checks pass, or it has none; 0: they fail. Of several workers the lowest.",
        ("service", "target"),
        "min",
    ),
    Family(TARGET_EJECTED, "gauge", "1: left out because its requests failed.", ("service", "target"), "max"),
)
_OF_CALLERS: Final = (
    Family(
        DECISIONS,
        "counter",
        "Requests by quota: allowed, refused, or would_refuse (mode log).",
        ("quota", "decision"),
    ),
    Family(ALONE, "counter", "Requests whose quotas a worker decided without Redis, which was away or late."),
    Family(
        AUTH_FAILURES,
        "counter",
        "Requests that were not let in, by reason: missing, invalid, expired, forbidden, cross_site, unavailable.",
        ("reason",),
    ),
)
_OF_THE_GATEWAY: Final = (
    Family(REVISION, "gauge", "The newest revision that a worker serves.", merge="max"),
    Family(OLDEST_REVISION, "gauge", "The oldest revision that a worker serves.", merge="min"),
    Family(REVISION_SINCE, "gauge", "When a worker last changed its revision.", merge="max"),
    Family(REVISION_AGE, "gauge", "How long ago a worker last changed its revision.", merge="min"),
    Family(
        REFUSED_REVISION,
        "gauge",
        "1: a worker keeps an old revision, because the new one does not compile.",
        merge="max",
    ),
    Family(ROUTES, "gauge", "Routes of the configuration that take requests.", merge="max"),
    Family(
        DROPPED, "counter", "What was let go because a queue was full, or could not be written.", ("queue",)
    ),
    Family(REDIS_UP, "gauge", "1: every worker reaches Redis. None where there is no Redis.", merge="min"),
    Family(REDIS_CALLS, "counter", "Calls to Redis for limits and breakers.", ("result",)),
    Family(EVENTS, "counter", "Events for subscribers, by what became of them.", ("what",)),
    Family(SUBSCRIPTIONS, "gauge", "Topics that clients are subscribed to, added up."),
    Family(
        EVENT_CLIENTS,
        "counter",
        "Clients that follow events: opened, refused_messages, turned_away (too many), slow_readers (cut off).",
        ("what",),
    ),
    Family(BUS, "counter", "Messages to and from the message bus, by what became of them.", ("what",)),
    Family(
        BUS_WAITING, "gauge", "Messages in the outbox, which wait for the bus, of all workers.", merge="max"
    ),
    Family(
        ALERTS,
        "counter",
        "Messages to receivers of alerts: sent, failed (given up), retried (to be sent again), dropped (no room).",
        ("result",),
    ),
    Family(
        ALERTS_WAITING,
        "gauge",
        "Messages to receivers of alerts that are still to be sent, of all workers.",
        merge="max",
    ),
    Family(
        CERTIFICATE_EXPIRY,
        "gauge",
        "When the certificate or the last authority that a service names ends; told by one worker of all.",
        ("service", "part"),
        "max",
    ),
    Family(SPANS, "counter", "Spans for the trace collector: exported or failed.", ("result",)),
    Family(LAG, "histogram", "How late the event loop is; looked at four times a second."),
    Family(WORKERS, "gauge", "Worker processes of this node."),
    Family(BUILD, "gauge", "1, by version.", ("version",), "max"),
    *(
        Family(
            name,
            "counter" if kind == "counter" else "gauge",
            "Of all workers, see prometheus_client.",
            (),
            "min" if merge == "min" else "max" if merge == "max" else "sum",
        )
        for name, (kind, merge) in PROCESS.items()
    ),
    *(
        Family(
            f"python_gc_{name}_total", "counter", "Of the garbage collector, by generation.", ("generation",)
        )
        for name in ("objects_collected", "objects_uncollectable", "collections")
    ),
)
FAMILIES: Final = {
    family.name: family for family in (*_OF_ROUTES, *_OF_SERVICES, *_OF_CALLERS, *_OF_THE_GATEWAY)
}
