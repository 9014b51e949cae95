"""Rules for requests, edited in the form of a route."""

import pytest

from routing.drafts import Actor
from routing.loader import read_rows
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import errors, page, signed_in, submit
from tests.support.configuration import small

pytestmark = pytest.mark.django_db


def there() -> str:
    apply_document(small(), actor=Actor("ada"))
    return page("route", "change", Route.objects.get().pk)


def test_saved_as_in_a_document() -> None:
    """Header fields by name, schemas in the document's notation."""
    url = there()
    submit(
        signed_in(),
        url,
        {
            "require_headers": "x-privacy-level: {one_of: [strict]}\nmode: log",
            "validate__body_schema": "{type: object, required: [a]}",
            "validate__upload__types": "image/png",
            "validate__data_urls": "/a",
        },
    )

    route = read_rows()["routes"][0]
    assert route["require_headers"] == {"x-privacy-level": {"one_of": ["strict"]}, "mode": "log"}
    assert route["validate"] == {
        "body_schema": {"type": "object", "required": ["a"]},
        "upload": {"types": ["image/png"]},
        "data_urls": ["/a"],
    }


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("validate__body_schema", "{properties: {a: {type: strin}}}", "is not a type of JSON Schema"),
        ("validate__query_schema", "{$ref: 'http://a/b'}", "nothing is fetched"),
        ("validate__data_urls", "/a", "eeds validate.upload"),
        ("require_headers", "x-a: {regex: '('}", "is not a regular expression"),
        ("require_headers", "x-a: {oneof: [a]}", "one_of"),
    ],
)
def test_errors_stand_at_their_field(field: str, text: str, why: str) -> None:
    """And say what is wrong."""
    found = errors(submit(signed_in(), there(), {field: text}))

    assert why in " ".join(found[field])
