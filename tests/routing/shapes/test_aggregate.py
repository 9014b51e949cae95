"""What explain says of an aggregate."""

from routing.aggregation import aggregate_of
from routing.document.destinations import AggregateSpec
from routing.shapes.aggregate import aggregate_note


def test_who_is_asked_for_what() -> None:
    """In the order of the answer, with what waits for what."""
    parts = {
        "history": {"service": "chat", "path": "/h/${parts.me.id}", "timeout": 1.0},
        "me": {"value": {"id": "${user.id}"}},
    }
    (note,) = aggregate_note(aggregate_of(AggregateSpec.model_validate({"parts": parts})), "route")

    assert (note.name, note.source, note.outcome) == ("aggregate", "route", "applies")
    assert list(note.details["parts"].items()) == [
        (
            "history",
            {
                "service": "chat",
                "request": "GET /h/${parts.me.id}",
                "timeout_s": 1.0,
                "required": False,
                "after": ["me"],
            },
        ),
        ("me", {"value": {"id": "${user.id}"}}),
    ]
    assert list(aggregate_note(None, "route")) == []
