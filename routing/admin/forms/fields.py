"""D: One form field per leaf of the schema, with unfold's widgets, hints and choices."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.html import escape
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from routing.admin.forms.leaves import Kind, Leaf
from routing.admin.forms.texts import NO, YES

PLACEHOLDERS: Final = {
    Kind.DURATION: "250ms, 2s, 5m, 1h",
    Kind.SIZE: "64KB, 10MB, 1GB",
    Kind.PAIRS: "name: value",
}
HINTS: Final = {
    Kind.DURATION: "A duration such as 250ms, 2s, 5m or 1h.",
    Kind.SIZE: "A size such as 64KB or 10MB.",
    Kind.PAIRS: "One name: value a line.",
    Kind.LINES: "One a line.",
    Kind.WORDS: "Several with spaces between them.",
    Kind.STRUCTURE: "Written as in the configuration document (YAML or JSON).",
}
MULTILINE: Final = (Kind.LONG_TEXT, Kind.LINES, Kind.PAIRS, Kind.STRUCTURE)
MAX_TEXT: Final = 1 << 20


class TextField(forms.CharField):
    """A text that reaches the reader of texts as it was typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=False, empty_value="", max_length=MAX_TEXT, **kwargs)


class AnyChoiceField(forms.ChoiceField):
    """Choices that also take what is already there, such as `${MODE}`: validation judges it, not the widget."""

    def valid_value(self, value: object) -> bool:
        return True

    def keep(self, current: str) -> None:
        """Offers what is there now, too."""
        offered: Any = self.choices
        if current not in dict(offered):
            self.choices = [*offered, (current, current)]


def field(leaf: Leaf) -> forms.Field:
    """The form field of a leaf."""
    common: dict[str, Any] = {"label": leaf.label, "help_text": _help(leaf)}
    if leaf.kind in (Kind.CHOICE, Kind.SWITCH):
        choices = leaf.choices or (YES, NO)
        return AnyChoiceField(
            required=False, choices=_choices(leaf, choices), widget=UnfoldAdminSelectWidget(), **common
        )
    attrs: dict[str, Any] = {"placeholder": leaf.default or PLACEHOLDERS.get(leaf.kind, "")}
    attrs |= {"autocomplete": "off", "spellcheck": "false"}
    if leaf.kind in MULTILINE:
        return TextField(
            widget=UnfoldAdminExpandableTextareaWidget(attrs=attrs | {"class": "torana-code"}), **common
        )
    return TextField(widget=UnfoldAdminTextInputWidget(attrs=attrs), **common)


def _choices(leaf: Leaf, values: Iterable[str]) -> list[tuple[str, str]]:
    blank = f"default: {leaf.default}" if leaf.default else "not set"
    return [("", f"– ({blank})"), *((value, value.replace("_", " ")) for value in values)]


def _help(leaf: Leaf) -> str:
    hint = HINTS.get(leaf.kind, "")
    return escape(" ".join(part for part in (leaf.help, hint) if part).replace("`", ""))
