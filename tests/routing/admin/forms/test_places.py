"""Places: each problem at the field that can mend it."""

import pytest

from routing.admin.forms.places import assign, locate, steps
from routing.problems import Problem, format_path

FIELDS = {
    ("name",): "name",
    ("match", "hosts"): "match__hosts",
    ("match", "headers"): "match__headers",
    ("redirect", "host"): "redirect__host",
    ("redirect", "port"): "redirect__port",
    ("rewrite", "regex", "pattern"): "rewrite__regex__pattern",
}


@pytest.mark.parametrize(
    "location", [("routes", 3, "match", "hosts", 0), ("a",), ("match", "headers", "x.y z", "regex"), ()]
)
def test_steps_undo_the_path(location: tuple[str | int, ...]) -> None:
    """A path is taken apart as it was put together, odd keys included."""
    assert steps(format_path(location)) == location


@pytest.mark.parametrize(
    ("path", "field", "rest"),
    [
        ("name", "name", ()),
        ("match.hosts[1]", "match__hosts", ()),
        ("rewrite.regex.pattern", "rewrite__regex__pattern", ()),
        ("match.headers.x-a.regex", "match__headers", ("x-a", "regex")),
        ("redirect", "redirect__host", ()),
        ("rewrite", "rewrite__regex__pattern", ()),
        ("canary.steps", None, ()),
        ("", None, ()),
    ],
)
def test_nearest_field(path: str, field: str | None, rest: tuple[str, ...]) -> None:
    """The field itself, else the one above, else the first below; what is deeper is named in the message."""
    assert locate(path, FIELDS) == (field, rest)


def test_messages_read_as_sentences_at_fields_and_name_their_place_elsewhere() -> None:
    """A field's label says the place; without a field the message must."""
    problems = [
        Problem("gateway.E003", "name", "is missing"),
        Problem("gateway.E015", "match.headers.x-a.regex", "is not a regular expression"),
        Problem("gateway.E030", "canary.steps", "is not honoured"),
        Problem("gateway.E012", "", "a route needs exactly one destination"),
    ]
    assert assign(problems, FIELDS) == {
        "name": ["Is missing"],
        "match__headers": ["x-a.regex: is not a regular expression"],
        None: ["canary.steps: is not honoured", "a route needs exactly one destination"],
    }
