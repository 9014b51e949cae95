"""Policies in mode log by the rows: the same as the whole document says, of fewer rows."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.requests.enforcing import in_mode_log
from observability.requests.logged import logged_now
from routing.document.canonical import canonicalise
from routing.drafts import Actor
from routing.loader import read_rows
from routing.publishing import apply_document
from tests.support.configuration import Document, route, small
from tests.support.logonly import DOCUMENT, LOGGED

pytestmark = [pytest.mark.store, pytest.mark.django_db]
PLAIN = {"allow": ["10.0.0.0/8"]}
MANY = [
    route("by-auth", "/a", auth={"level": "user", "mode": "log"}),
    route("by-level", "/l", auth={"level": "user"}),
    route("by-ip", "/i", ip=LOGGED),
    route("enforced", "/e", ip=PLAIN, limits={"max_body": "1 MB"}),
    route("silent", "/s"),
    route("by-quota", "/q", quotas=["daily"]),
]


@pytest.mark.parametrize(
    "more",
    [
        {"quotas": [{"name": "daily", "limit": 9, "per": "day"}]},
        {"quotas": DOCUMENT["quotas"]},
        {"quotas": DOCUMENT["quotas"][1:], "routes": [*MANY[:5], DOCUMENT["routes"][1]]},
        {"quotas": [{"name": "daily", "limit": 9, "per": "day"}], "defaults": {"ip": LOGGED}},
        {"quotas": DOCUMENT["quotas"], "defaults": {"quotas": ["daily"]}},
        {"quotas": [{"name": "daily", "limit": 9, "per": "day"}], "defaults": {"auth": {"mode": "log"}}},
    ],
)
def test_it_says_what_the_whole_document_says(more: dict[str, Any]) -> None:
    """Wherever the mode stands: in a route, in the defaults, in a quota."""
    document: Document = {**small(), "routes": MANY, **more}
    apply_document(document, actor=Actor("anna"))
    expected = list(in_mode_log(canonicalise(read_rows())))
    assert expected
    assert list(logged_now()) == expected
    for each in document["routes"]:
        name = each["name"]
        assert list(logged_now(name)) == [found for found in expected if found[0] == name]


def test_routes_that_do_not_write_it_are_not_read() -> None:
    """Of very many, the few that do."""
    apply_document(
        {
            **small(),
            "routes": [route(f"r{number}", f"/{number}", ip=PLAIN) for number in range(30)] + MANY[:3],
        },
        actor=Actor("anna"),
    )
    with CaptureQueriesContext(connection) as queries:
        assert [each[:2] for each in logged_now()] == [("by-auth", "auth"), ("by-ip", "ip")]
    assert len(queries) <= 4
    assert "LIKE" in queries[-1]["sql"]
