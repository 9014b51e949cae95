"""P: Why a request was answered as it was, in words, from what was kept of it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Facts = Mapping[str, Any]
_AUTH: Final = {
    "missing": "It brought no credentials, and the route wants some",
    "invalid": "Its credentials are not valid: they are unknown, forged, or were taken back",
    "expired": "Its credentials had expired",
}
_OUTCOMES: Final = {
    "dns_error": "its name could not be resolved",
    "connect_refused": "it took no connection",
    "connect_timeout": "it did not accept a connection in time",
    "tls_error": "no secure connection to it could be made",
    "pool_timeout": "all connections to it were busy",
    "reset": "it closed the connection without an answer",
    "stale_connection": "it closed the connection without an answer",
    "protocol_error": "what it answered is not valid HTTP",
    "read_timeout": "it did not answer in time",
    "total_timeout": "it did not answer in time",
    "write_timeout": "it did not take the request in time",
    "no_time": "the time that the request had was over",
    "upstream_error": "it answered with an error",
    "body_broken": "it broke off its answer",
    "body_timeout": "it stopped in the middle of its answer",
}


def why(
    *,
    status: int,
    service: str,
    target: str,
    consumer: str,
    client: str,
    facts: Facts,
    breaker: str = "",
) -> list[str]:
    """Sentences, the cause first. `breaker` is what is known of a breaker at that time, a sentence."""
    refusal = facts.get("refusal")
    who = (
        f"The caller {consumer}" if consumer else f"A caller without credentials from {client or 'somewhere'}"
    )
    if refusal is not None:
        said = list(_refused(refusal, who))
        if refusal["code"] == "CIRCUIT_OPEN" and breaker:
            said.append(breaker)
    else:
        said = [_unrefused(status, service, target)]
    said += [f"An attempt at {place} failed: {outcome(how)}." for place, how in facts.get("failures", ())]
    for would in facts.get("would", ()):
        cause = next(_refused(would, who))
        said.append(
            f"If {would['policy']} were enforced, it would be refused with {would['status']}: {cause}"
        )
    return said


def outcome(how: str) -> str:
    """In words, of a target."""
    return _OUTCOMES.get(how, how.replace("_", " "))


def _unrefused(status: int, service: str, target: str) -> str:
    where = f"the service {service}" + (f" at {target}" if target else "") if service else "the route itself"
    if status == 499:
        return "The client left before the answer was there."
    if status == 0:
        return "The gateway was stopped before there was an answer."
    if status >= 400:
        return f"The gateway let it pass; {where} answered {status}."
    return f"It was answered with {status} by {where}."


def _refused(refusal: Facts, who: str) -> Iterator[str]:
    details = refusal["details"]
    told: Callable[[Facts, Facts, str], str] = _BY_CODE.get(refusal["code"], _plain)
    yield told(refusal, details, who)


def _plain(refusal: Facts, details: Facts, _who: str) -> str:
    shown = "; ".join(f"{name}: {_text(value)}" for name, value in details.items())
    return f"{refusal['message']} ({shown})" if shown else refusal["message"]


def _unauthenticated(refusal: Facts, details: Facts, who: str) -> str:
    reason = _AUTH.get(details.get("reason", ""))
    if reason is None:
        return _plain(refusal, details, who)
    return f"{reason} ({', '.join(details.get('methods', ())) or 'any method'})."


def _forbidden(refusal: Facts, details: Facts, who: str) -> str:
    parts = []
    if missing := details.get("missing_scopes"):
        parts.append(f"lacks the scope{'s' if len(missing) > 1 else ''} {', '.join(missing)}")
    if roles := details.get("roles"):
        parts.append(f"has none of the roles {', '.join(roles)}")
    if level := details.get("level"):
        parts.append("is not staff" if level == "admin" else "is not a service")
    return f"{who} {', and '.join(parts)}." if parts else f"{who}: {_plain(refusal, details, who)}"


def _limited(refusal: Facts, details: Facts, who: str) -> str:
    if "quota" not in details:
        return _plain(refusal, details, who)
    return (
        f"{who} has used up the quota {details['quota']}: {details.get('limit')} requests in "
        f"{_seconds(details.get('window_s'))}. There was room again after {_seconds(details.get('retry_after'))}."
    )


def _open(_refusal: Facts, details: Facts, _who: str) -> str:
    wait = _seconds(details.get("retry_after"))
    was = f"The breaker of the service {details.get('service', '')} was open"
    return f"{was}: it had failed too often, and was left alone for {wait} more."


def _overloaded(refusal: Facts, details: Facts, who: str) -> str:
    if details.get("reason") != "max_concurrency":
        return _failed(refusal, details, who)
    what = "route" if "route" in details else "service"
    return f"As many requests as the {what} {details.get(what, '')} may have at a time were on their way."


def _failed(refusal: Facts, details: Facts, who: str) -> str:
    reason = details.get("reason", "")
    if reason in _OUTCOMES:
        return f"The service {details.get('service', '')} gave no answer: {outcome(reason)}."
    if reason == "no_target":
        return f"The service {details.get('service', '')} had no target to send to: none was healthy, or there is none."
    if reason == "identities_unavailable":
        return "Its credentials could not be checked: the store of identities was away."
    return _plain(refusal, details, who)


def _size(refusal: Facts, details: Facts, who: str) -> str:
    if "max_body" not in details:
        return _plain(refusal, details, who)
    return f"Its body is larger than the route's limit of {details['max_body']} bytes."


_BY_CODE: Final[Mapping[str, Callable[[Facts, Facts, str], str]]] = {
    "AUTH_ERROR": _unauthenticated,
    "FORBIDDEN": _forbidden,
    "RATE_LIMIT": _limited,
    "CIRCUIT_OPEN": _open,
    "OVERLOADED": _overloaded,
    "BAD_GATEWAY": _failed,
    "UPSTREAM_TIMEOUT": _failed,
    "SERVICE_UNAVAILABLE": _failed,
    "PAYLOAD_TOO_LARGE": _size,
}


def _seconds(value: Any) -> str:
    if not isinstance(value, int | float):
        return "some time"
    return f"{value:g} second" if value == 1 else f"{value:g} seconds"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
