"""D: A configuration with policies in mode log, and whom they would have refused."""

from observability.models import WouldRefuse
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.configuration import Document, route, small
from tests.support.kept import AT

LOGGED = {"allow": ["10.0.0.0/8"], "mode": "log"}
ROUTES = [
    route("users", "/users", ip=LOGGED, quotas=["daily", {"name": "hourly", "mode": "log"}]),
    route("open", "/open", require_headers={"x-a": {}, "mode": "log"}),
]
DOCUMENT: Document = {
    **small(),
    "quotas": [
        {"name": "daily", "limit": 9, "per": "day", "mode": "log"},
        {"name": "hourly", "limit": 9, "per": "1h"},
    ],
    "routes": ROUTES,
}


def logging_only() -> None:
    """Three requests of ada and one of bert by `ip` of users, and two of carla by its quota daily."""
    apply_document(DOCUMENT, actor=Actor("anna"))
    hit("a", "ip", "ada", 3)
    hit("b", "ip", "bert", 1)
    hit("c", "quotas", "carla", 2, quota="daily", code="RATE_LIMIT")


def hit(digest: str, policy: str, caller: str, count: int, **more: str) -> None:
    given = {"route": "users", "code": "FORBIDDEN", "message": "No.", "request_id": f"id-{caller}", **more}
    WouldRefuse.objects.create(
        digest=digest, policy=policy, caller=caller, count=count, first_at=AT, last_at=AT, **given
    )
