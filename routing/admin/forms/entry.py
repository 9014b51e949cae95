"""D: The form of one entry of the document: texts in, the entry as written out, each problem at its field.

What the columns are called does not matter here: the form speaks the document's language and the table of
columns translates.
"""

import types
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from unfold.widgets import UnfoldAdminTextInputWidget

from routing.admin.forms.conflict import explain_conflict
from routing.admin.forms.fields import AnyChoiceField, field
from routing.admin.forms.leaves import Leaf, Path
from routing.admin.forms.places import assign, locate
from routing.admin.forms.texts import collect, flatten
from routing.cleaning import written
from routing.columns import Entry, Table
from routing.problems import Problem

Messages = Mapping[str | None, Sequence[str]]


if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class EntryForm(_ModelForm):
    """Edits one row through the leaves of its part of the schema."""

    table: ClassVar[Table]
    leaves: ClassVar[tuple[Leaf, ...]] = ()
    refused: ClassVar[Sequence[Problem]] = ()
    """Why publishing refused what this form was about to save; its paths are relative to the entry."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Why",
        help_text="Optional; goes into the history of revisions.",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Why this change?"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance = kwargs.get("instance")
        self.original = {} if instance is None or instance._state.adding else self.written(instance)
        self.entry: dict[str, Any] = {}
        self.has_conflict = False
        self.texts_before = flatten(self.original, self.leaves)
        version = getattr(instance, "version", None)
        given = kwargs.pop("initial", None) or {}
        kwargs["initial"] = {**self.texts_before, "seen_version": version, **given}
        super().__init__(*args, **kwargs)
        for name, each in self.fields.items():
            if isinstance(each, AnyChoiceField):
                each.keep(str(self.initial.get(name) or ""))

    @classmethod
    def written(cls, row: Any) -> Entry:
        """The entry that a row stands for."""
        return written(row)

    @property
    def places(self) -> dict[Path, str]:
        """Where in the entry each field stands."""
        return {leaf.path: leaf.name for leaf in self.leaves}

    def finish(self, entry: dict[str, Any]) -> dict[str, Any]:
        """What the leaves cannot say is added here."""
        return entry

    @abstractmethod
    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        """Problems of the entry, with paths relative to it."""

    def spread(self, columns: dict[str, Any]) -> None:
        """Puts the columns onto the instance."""
        for column, value in columns.items():
            setattr(self.instance, column, value)

    def texts(self) -> dict[str, str]:
        """What was typed, by leaf."""
        return {leaf.name: self.cleaned_data.get(leaf.name) or "" for leaf in self.leaves}

    def report(self, problems: Iterable[Problem]) -> None:
        """Puts each problem at its field, or above the form."""
        for name, messages in assign(problems, self.places).items():
            self.add_error(
                name if name in self.fields else None, [ValidationError(text) for text in messages]
            )

    def _post_clean(self) -> None:
        entry, faults = collect(self.original, self.leaves, self.texts())
        self.entry = self.finish(entry)
        for name, text in faults.items():
            self.add_error(name, text[:1].upper() + text[1:])
        known = set(self.errors)
        self.report(
            problem for problem in self.check(self.entry) if locate(problem.path, self.places)[0] not in known
        )
        self.report(self.refused)
        self._set_columns()
        self._check_version()

    def _set_columns(self) -> None:
        """The instance gets its new values only when they are sound: pages name it as it is stored."""
        if self.errors:
            return
        for name in self._meta.fields or ():
            if name in self.cleaned_data and _is_column(self.instance, name):
                setattr(self.instance, name, self.cleaned_data[name])
        self.spread(self.table.row(self.entry))
        self.validate_unique()

    def _check_version(self) -> None:
        """Refuses to save over what somebody else saved meanwhile; saving once more does."""
        seen = self.cleaned_data.get("seen_version")
        if self.instance.pk is None or seen is None or seen == self.instance.version:
            return
        self.has_conflict = True
        self.add_error(None, explain_conflict(self.instance, self._differences()))
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("seen_version")] = str(self.instance.version)
        self.data = data

    def _differences(self) -> list[tuple[str, str, str]]:
        """Field, what is stored now, what was typed."""
        texts = self.texts()
        return [
            (leaf.label, self.texts_before[leaf.name], texts[leaf.name])
            for leaf in self.leaves
            if self.texts_before[leaf.name].split() != texts[leaf.name].split()
        ]


def entry_form(base: type[EntryForm], leaves: tuple[Leaf, ...]) -> type[EntryForm]:
    """The form with a field for every leaf."""
    fields = {leaf.name: field(leaf) for leaf in leaves}
    body: dict[str, Any] = {"leaves": leaves, "__module__": base.__module__, **fields}
    made: type[EntryForm] = types.new_class(
        base.__name__, (base,), exec_body=lambda scope: scope.update(body)
    )
    return made


def _is_column(instance: models.Model, name: str) -> bool:
    return any(field.name == name for field in instance._meta.concrete_fields)
