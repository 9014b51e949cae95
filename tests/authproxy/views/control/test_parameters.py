"""What calls of the control API take beside a body: as they are documented, so they are taken."""

from typing import Any

from rest_framework import serializers

from authproxy.control.paging import MOST, USUAL
from authproxy.serializers import Shape
from authproxy.views.control.parameters import IF_MATCH, MESSAGE, PAGING, WRITES, text
from authproxy.views.documented import QUERY, documented


class Narrowed(Shape):
    route = serializers.CharField()


def described(asks: Any) -> Any:
    @documented("Do it", tag="Control", asks=asks, answers={200: None}, errors=())
    def get() -> None:
        """Does it."""

    return getattr(get, QUERY)


def test_pages_are_bounded() -> None:
    """As `window` has it."""
    limit, _ = PAGING
    assert limit.type == {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}


def test_what_is_documented_is_known() -> None:
    """Of the query: header fields are none of its parameters, all fields of a shape are."""
    assert described(None) == ()
    assert described(Narrowed) == ("route",)
    assert described([*PAGING, Narrowed, text("search", "")]) == ("limit", "cursor", "route", "search")
    assert described([*WRITES, IF_MATCH]) == ("dry_run", "draft", "message")
    assert [each.location for each in MESSAGE] == ["query", "header"]
