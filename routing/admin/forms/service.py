"""D: The forms of a service and of its targets."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from routing.admin.forms.entry import EntryForm, entry_form
from routing.admin.forms.fields import field
from routing.admin.forms.leaves import Leaf, Path, leaves
from routing.admin.forms.places import steps
from routing.admin.sections import honoured
from routing.cleaning import service_problems
from routing.columns import SERVICE, Table
from routing.descriptortexts import packed
from routing.document.services import ServiceSpec, TargetSpec
from routing.models import Service, Target
from routing.problems import Problem
from routing.validation import check_service

CHILD = "targets"
LONGEST_NUMBER = 19
"""Digits, of what a database takes for a number."""
LARGEST_FILE = 4 << 20
MOST_NAMES = 10
"""Of services, and of the methods of each, that a page shows."""


class ServiceEntryForm(EntryForm):
    """A service without its targets, which are rows of their own."""

    table: ClassVar[Table] = SERVICE

    class Meta:
        model = Service
        fields = ("notes",)

    class Media:
        js = ("torana/files.js",)

    descriptors_file = forms.FileField(
        required=False,
        label="Descriptors file",
        help_text="What protoc --include_imports --descriptor_set_out=FILE wrote; it takes the place of the text.",
        widget=UnfoldAdminFileFieldWidget(attrs={"data-largest": LARGEST_FILE}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if (now := said_of(self.original.get("descriptors"))) and "descriptors_file" in self.fields:
            self.fields["descriptors_file"].help_text += f" Now: {now}."

    @property
    def places(self) -> dict[Path, str]:
        """What is wrong with a file is told at the file."""
        chosen = getattr(self, "cleaned_data", {}).get("descriptors_file")
        return {**super().places, **({("descriptors",): "descriptors_file"} if chosen else {})}

    def clean_descriptors_file(self) -> Any:
        file = self.cleaned_data.get("descriptors_file")
        if file is not None and file.size > LARGEST_FILE:
            raise forms.ValidationError(f"The file is larger than {LARGEST_FILE >> 20} MB.")
        return file

    def texts(self) -> dict[str, str]:
        """A file takes the place of the text; whether it is a descriptor set is for the document's rules to say."""
        texts = super().texts()
        file = self.cleaned_data.get("descriptors_file")
        if file is not None:
            texts["descriptors"] = packed(file.read())
        return texts

    def check(self, entry: Mapping[str, Any]) -> Iterable[Problem]:
        problems = check_service(dict(entry), env=os.environ)
        return [problem for problem in problems if not problem.path.startswith(CHILD)]


def said_of(text: str | None) -> str:
    """What can be called by a descriptor set: `shop.Cart (Add, Empty)`; nothing where none can be read."""
    if not text:
        return ""
    try:
        from routing.descriptors import BadDescriptors, methods_of
    except ImportError:
        return ""
    try:
        found = methods_of(text)
    except BadDescriptors:
        return ""
    named = [f"{service} ({_some(list(methods))})" for service, methods in found.items()]
    return _some(named)


def _some(names: list[str]) -> str:
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


ServiceForm = entry_form(
    ServiceEntryForm, honoured("services", [leaf for leaf in leaves(ServiceSpec) if leaf.path[0] != CHILD])
)
TARGET_LEAVES = honoured("services", leaves(TargetSpec), below=CHILD)


if TYPE_CHECKING:
    _TargetForm = forms.ModelForm[Target]
else:
    _TargetForm = forms.ModelForm


class SwitchField(forms.TypedChoiceField):
    """Yes, no, or nothing said."""

    def __init__(self, leaf: Leaf) -> None:
        super().__init__(
            choices=[("", f"– ({leaf.default})"), ("True", "yes"), ("False", "no")],
            coerce=lambda text: text == "True",
            empty_value=None,
            required=False,
            label=leaf.label,
            help_text=leaf.help,
            widget=UnfoldAdminSelectWidget(),
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed("" if initial is None else str(initial), data)


_LEAF = {leaf.name: leaf for leaf in leaves(TargetSpec)}


class TargetForm(_TargetForm):
    """One address of a service."""

    url = field(_LEAF["url"])
    weight = forms.IntegerField(
        required=False,
        help_text=_LEAF["weight"].help,
        widget=UnfoldAdminTextInputWidget(
            attrs={"placeholder": _LEAF["weight"].default, "inputmode": "numeric"}
        ),
    )
    zone = forms.CharField(
        required=False,
        empty_value=None,
        help_text=_LEAF["zone"].help,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    backup = SwitchField(_LEAF["backup"])
    drain = SwitchField(_LEAF["drain"])

    class Meta:
        model = Target
        fields = tuple(leaf.name for leaf in TARGET_LEAVES)


class TargetFormSet(PaginationInlineFormSet):
    """The targets of a service, a page of them at a time; what is sent back names the rows that it is about.

    All are judged together, with the service: what does not fit its protocol is told at the target.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:  # somebody may have added or removed others since the page was shown
            self._queryset = self.queryset.filter(pk__in=list(self._named()))

    def get_page_num(self) -> int:
        text = self.request.GET.get(self.get_pagination_key()) or ""
        text = text or self.request.POST.get(self.get_pagination_key()) or ""
        return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER else 1

    def clean(self) -> None:
        super().clean()
        forms = [form for form in self.initial_forms + self.extra_forms if self._counts(form)]
        shown = [form.instance.pk for form in self.initial_forms if form.instance.pk is not None]
        elsewhere = list(self.queryset.exclude(pk__in=shown).values("url"))
        targets = [*elsewhere, *({"url": form.cleaned_data["url"]} for form in forms)]
        unseen: list[str] = []
        for problem in service_problems(self.instance, targets):
            place = steps(problem.path)
            if not (place[:1] == (CHILD,) and len(place) > 1 and isinstance(place[1], int)):
                continue
            message = problem.message[:1].upper() + problem.message[1:]
            if (index := place[1] - len(elsewhere)) >= 0:
                forms[index].add_error("url", message)
            else:
                unseen.append(f"{elsewhere[place[1]]['url']}: {message}")
        if unseen:
            raise ValidationError(unseen[:MOST_NAMES])

    def _counts(self, form: Any) -> bool:
        return form.is_valid() and form.cleaned_data.get("url") and not form.cleaned_data.get("DELETE")

    def _named(self) -> Iterator[int]:
        for number in range(self.total_form_count()):
            text = self.data.get(f"{self.add_prefix(number)}-{self.model._meta.pk.name}") or ""
            if text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER:
                yield int(text)
