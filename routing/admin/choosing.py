"""D: Choices among rows that a page looks up as somebody types; what is no row's number chooses nothing."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.http import HttpRequest
from unfold.admin import ModelAdmin

LONGEST_NUMBER: Final = 18
"""Digits; numbers that SQLite has no room for are longer."""
_Base: Any = ModelAdmin if TYPE_CHECKING else object
_Widget: Any = object


class _Numbers(_Widget):
    """The address of an add form fills fields in, and a form that is refused comes back as it was sent: whatever is in
    either of them would be looked for."""

    def optgroups(self, name: Any, value: Any, attr: Any = None) -> Any:
        numbers = [each for each in value if _is_number(str(each))]
        return super().optgroups(name, numbers, attr)


class _One(_Numbers, AutocompleteSelect):
    """A row."""


class _Several(_Numbers, AutocompleteSelectMultiple):
    """Rows."""


class Choosing(_Base):
    """Stands before Django's own class; for `autocomplete_fields` whose rows go by numbers."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        self._look_up(_One, db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        self._look_up(_Several, db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _look_up(self, widget: Any, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", widget(db_field, self.admin_site, using=kwargs.get("using")))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER
