"""D: Model fields that keep what somebody wrote, exactly, as readable text.

A value comes back as the type in which it was written (`30`, `"30"` and `30s` are three values), mappings
keep their order, and text search works alike on SQLite and PostgreSQL. Absent is NULL, never an empty value.
"""

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.db import models

if TYPE_CHECKING:
    _Text = models.Field[Any, Any]
else:
    _Text = models.TextField


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)
_JSON_STARTS = frozenset('{["-0123456789tfn')


def encode(value: object) -> str:
    """Text from which `decode` gives an equal value of the same type; a plain string stays as it is."""
    if isinstance(value, str) and _decoded(value) is None:
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode(text: str) -> Any:
    """The value that was encoded."""
    found = _decoded(text)
    return text if found is None else found[0]


def _decoded(text: str) -> tuple[Any] | None:
    if text[:1] not in _JSON_STARTS or not text:
        return None
    try:
        return (_DECODER.decode(text),)
    except (ValueError, RecursionError):
        return None


def join_words(words: list[str]) -> str:
    """Words separated by spaces; only a word that holds white space or quotes is quoted."""
    return " ".join(shlex.quote(word) if _needs_quotes(word) else word for word in words)


def split_words(text: str) -> list[str]:
    """The words that were joined. Unbalanced quotes are literal: text from a form must never fail here."""
    if not any(quote in text for quote in "'\"\\"):
        return text.split()
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _needs_quotes(word: str) -> bool:
    return not word or any(c.isspace() or c in "'\"\\" for c in word)


class WrittenField(_Text):
    """One scalar as written: a duration, a size, a string with `${VAR}`."""

    read = staticmethod(decode)
    """A value from the column's text."""

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> Any:
        return None if value is None else self.read(value)

    def get_prep_value(self, value: Any) -> Any:
        value = models.Field.get_prep_value(self, value)
        return None if value is None else encode(value)

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> Any:
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        kwargs = {"widget": forms.TextInput, "empty_value": None, **kwargs}
        return models.Field.formfield(self, form_class or forms.CharField, choices_form_class, **kwargs)


class SectionField(WrittenField):
    """One section of the document (a mapping or a list), as written."""

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        kwargs = {"widget": forms.Textarea, **kwargs}
        return models.Field.formfield(self, form_class or forms.JSONField, choices_form_class, **kwargs)


class WordsFormField(forms.CharField):
    """A list of words, typed with spaces, commas or line ends between them."""

    def prepare_value(self, value: Any) -> Any:
        return join_words(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return split_words((value or "").replace(",", " ")) or None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or None) != self.to_python(data))


class WordsField(_Text):
    """A list of strings, stored as space-separated text so that `icontains` finds a word anywhere."""

    read = staticmethod(split_words)
    """A value from the column's text."""

    def from_db_value(self, value: str | None, _expression: object, _connection: object) -> list[str] | None:
        return None if value is None else self.read(value)

    def get_prep_value(self, value: Any) -> Any:
        value = models.Field.get_prep_value(self, value)
        return join_words(list(value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        return split_words(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> Any:
        return self.get_prep_value(self.value_from_object(obj))

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **kwargs: Any) -> Any:
        kwargs = {"widget": forms.TextInput, **kwargs}
        return models.Field.formfield(self, form_class or WordsFormField, choices_form_class, **kwargs)


TEXTS: Final = (WrittenField, WordsField)
"""Fields whose columns hold text that `read` makes values of."""
