"""D: The form of the import page: an OpenAPI document as a file or a text, and where its routes go."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from routing.document.anchors import parse_foreign
from routing.foreign import Converted
from routing.openapi.converting import convert
from routing.openapi.reading import NotOpenApi
from routing.problems import ConfigurationInvalid

LARGEST = 2 * 1024 * 1024
MOST_PROBLEMS = 10


class ImportForm(forms.Form):
    """`cleaned_data["converted"]` is what came of the document, and `["text"]` the document itself."""

    class Media:
        js = ("torana/files.js",)

    file = forms.FileField(
        required=False,
        label="OpenAPI file",
        help_text="OpenAPI 3.0 or 3.1, in YAML or JSON. It takes the place of the text below.",
        widget=UnfoldAdminFileFieldWidget(attrs={"data-largest": LARGEST}),
    )
    text = forms.CharField(
        required=False,
        max_length=LARGEST,
        strip=False,
        label="… or its text",
        widget=UnfoldAdminTextareaWidget(
            attrs={"class": "torana-code", "rows": 12, "placeholder": "openapi: 3.1.0"}
        ),
    )
    service = forms.CharField(
        max_length=100,
        label="Service",
        help_text="Name of the service that its routes lead to; it is made where there is none.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    url = forms.CharField(
        required=False,
        max_length=2000,
        label="URL",
        help_text="Where the service is. Empty: the document's first server.",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "http://127.0.0.1:8001"}),
    )
    path_prefix = forms.CharField(
        required=False,
        max_length=200,
        label="Prefix",
        help_text="Path below which the routes go; the service does not see it.",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "/shop"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        text = self._text(cleaned)
        if not self.errors:
            if not text.strip():
                raise forms.ValidationError("Choose a file, or paste its text.")
            cleaned |= {"text": text, "converted": self._converted(text, cleaned)}
        return cleaned

    def _text(self, cleaned: dict[str, Any]) -> str:
        file = cleaned.get("file")
        if file is None:
            return str(cleaned.get("text") or "")
        if file.size > LARGEST:
            self.add_error("file", f"The file is larger than {LARGEST >> 20} MB.")
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError:
            self.add_error("file", "The file is not UTF-8.")
            return ""

    def _converted(self, text: str, cleaned: dict[str, Any]) -> Converted:
        try:
            return convert(
                parse_foreign(text),
                service=cleaned["service"],
                url=cleaned["url"] or None,
                prefix=cleaned["path_prefix"],
            )
        except NotOpenApi as refusal:
            raise forms.ValidationError(f"This is not to be imported: {refusal}.") from refusal
        except ConfigurationInvalid as error:
            raise forms.ValidationError([str(each) for each in error.problems[:MOST_PROBLEMS]]) from error
