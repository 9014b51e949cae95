"""What a request must look like, compiled."""

from typing import Any

import pytest

from routing.problems import ConfigurationInvalid
from routing.shapes.validation import MB, Validation, validation_note
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

UPLOAD = {"types": ["image/png"], "max_total": "3MB"}
JSON = ("application/json", "application/*+json")


def rules(limits: dict[str, Any] | None = None, **validate: Any) -> Validation | None:
    keys = {} if limits is None else {"limits": limits}
    raw = document(route(service="s", validate=validate, **keys), services={"s": "http://127.0.0.1:1"})
    return snapshot_of(raw).routes["r"].shapes.validation


@pytest.mark.parametrize("validate", [{}, {"mode": "log"}, {"content_types": []}, {"upload": {"types": []}}])
def test_what_asks_for_nothing_is_no_policy(validate: dict[str, Any]) -> None:
    """A route that has no rules pays nothing."""
    assert rules(**validate) is None


@pytest.mark.parametrize(
    ("validate", "accepted", "media_type", "is_taken"),
    [
        ({"query_schema": {}}, (), "a/b", True),
        ({"body_schema": {}}, JSON, "application/ld+json", True),
        ({"body_schema": {}}, JSON, "multipart/form-data", False),
        ({"upload": UPLOAD}, ("multipart/form-data",), "multipart/form-data", True),
        ({"upload": UPLOAD}, ("multipart/form-data",), "application/json", False),
        (
            {"upload": UPLOAD, "data_urls": ["/a"]},
            (*JSON, "multipart/form-data"),
            "application/json",
            True,
        ),
        ({"upload": UPLOAD, "content_types": ["image/*"]}, ("image/*",), "image/png", True),
        ({"upload": UPLOAD, "content_types": ["image/*"]}, ("image/*",), "multipart/form-data", False),
    ],
)
def test_media_types(
    validate: dict[str, Any], accepted: tuple[str, ...], media_type: str, is_taken: bool
) -> None:
    """Those that are listed, else those that can be judged."""
    found = rules(**validate)

    assert found is not None
    assert found.accepted == accepted
    assert found.takes(media_type) is is_taken


@pytest.mark.parametrize(
    ("limits", "validate", "most"),
    [
        (None, {"body_schema": {}}, MB),
        ({"max_body": "5MB"}, {"body_schema": {}}, 5 * MB),
        (None, {"upload": UPLOAD, "body_schema": {}}, MB),
        (None, {"upload": UPLOAD, "data_urls": ["/a"]}, 5 * MB),
    ],
)
def test_bodies_that_are_read_whole_are_bounded(
    limits: dict[str, Any] | None, validate: dict[str, Any], most: int
) -> None:
    """By the route's own bound, else by a megabyte and what files take in base64."""
    found = rules(limits, **validate)

    assert found is not None
    assert found.max_body == most


def test_a_schema_that_is_none_does_not_compile() -> None:
    """With its place."""
    with pytest.raises(ConfigurationInvalid) as refused:
        rules(body_schema={"properties": {"a": {"type": "strin"}}})

    assert "validate.body_schema.properties.a.type" in str(refused.value)


def test_explained() -> None:
    """What is judged, and how much is read for it."""
    [note] = validation_note(rules(body_schema={}, query_schema={}, mode="log"), "route")

    assert note.outcome == "applies"
    assert note.details == {
        "content_types": list(JSON),
        "judges": ["body_schema", "query_schema"],
        "max_body": MB,
        "mode": "log",
    }
    assert list(validation_note(None, "built-in")) == []
