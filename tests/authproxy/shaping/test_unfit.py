"""Refusals of requests that are not as they must be."""

import pytest

from authproxy import problems
from authproxy.shaping import unfit
from authproxy.shaping.jsontext import JsonFault


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        (unfit.invalid_query([]), 400, "query_schema"),
        (unfit.unreadable_query(), 400, "query_schema"),
        (unfit.invalid_body([{"field": "/a", "value": None, "expected": "present"}]), 400, "body_schema"),
        (unfit.not_json(JsonFault("malformed", "No.", 2, 3)), 400, "malformed"),
        (unfit.not_json(JsonFault("duplicate", "No.", member="a" * 500)), 400, "duplicate"),
        (unfit.no_body(("a/b",)), 400, "empty"),
        (unfit.media_type("x" * 500, ("a/b",)), 415, "content_type"),
        (unfit.charset("x" * 500, ()), 415, "charset"),
        (unfit.coding(), 415, "coding"),
        (unfit.too_large("No.", {}), 413, "size"),
        (unfit.malformed_upload("No.", {}), 400, "multipart"),
        (unfit.file_type("No.", {}), 415, "file_type"),
        (unfit.unreadable_file("No.", {}), 400, "data_url"),
    ],
)
def test_each_can_be_told(wrong: unfit.Unfit, status: int, reason: str) -> None:
    """With its status, its reason, and in short."""
    assert wrong.rejection.status == status
    assert wrong.reason == reason
    assert len(problems.envelope(wrong.rejection, request_id="r", timestamp="t")) < 600


def test_what_would_be_taken_is_told() -> None:
    """RFC 9110 section 15.5.16."""
    assert unfit.media_type(None, ("a/b", "c/*")).rejection.headers == ((b"accept", b"a/b, c/*"),)
    assert unfit.coding().rejection.headers == ((b"accept-encoding", b"identity"),)
