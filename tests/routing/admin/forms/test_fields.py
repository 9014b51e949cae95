"""Form fields: one per leaf, with a hint of how to write it."""

import pytest

from routing.admin.forms.fields import AnyChoiceField, TextField, field
from routing.admin.forms.leaves import Kind, Leaf


def leaf(kind: Kind, **more: object) -> Leaf:
    return Leaf(("x",), kind, "X", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", Kind)
def test_no_field_judges_what_is_typed(kind: Kind) -> None:
    """Validation has one place, and it is not the widget."""
    made = field(leaf(kind, choices=("a", "b")))
    assert not made.required
    assert made.clean("anything at all") == "anything at all"
    assert made.clean("") == ""


@pytest.mark.parametrize(
    ("kind", "hint"),
    [(Kind.DURATION, "250ms"), (Kind.SIZE, "64KB"), (Kind.PAIRS, "name: value"), (Kind.LINES, "One a line")],
)
def test_hints_follow_the_help(kind: Kind, hint: str) -> None:
    """The schema's description, then how it is written."""
    text = str(field(leaf(kind, help="What it is.")).help_text)
    assert text.startswith("What it is.")
    assert hint in text


def test_help_is_escaped() -> None:
    """A description with angle brackets is shown as it is."""
    assert "&lt;name&gt;" in str(field(leaf(Kind.TEXT, help="\\g<name>")).help_text)


def test_default_is_shown_where_nothing_is_typed() -> None:
    """In inputs as a placeholder, in choices as the empty one."""
    assert field(leaf(Kind.DURATION, default="30s")).widget.attrs["placeholder"] == "30s"
    choice = field(leaf(Kind.SWITCH, default="yes"))
    assert isinstance(choice, AnyChoiceField)
    assert choice.choices == [("", "– (default: yes)"), ("yes", "yes"), ("no", "no")]


def test_current_value_joins_the_choices_once() -> None:
    """What is there stays; what is offered already is not offered twice."""
    made = AnyChoiceField(choices=[("a", "a")])
    made.keep("a")
    made.keep("${X}")
    assert made.choices == [("a", "a"), ("${X}", "${X}")]


def test_texts_of_several_lines_have_room() -> None:
    """Lists, pairs and long texts are typed in a box that grows."""
    assert all("rows" in field(leaf(kind)).widget.attrs for kind in (Kind.LINES, Kind.PAIRS, Kind.LONG_TEXT))
    assert isinstance(field(leaf(Kind.TEXT)), TextField)
