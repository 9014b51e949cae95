"""D: Template tags of the sign-in pages."""

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect, Textarea
from django.utils.safestring import SafeString
from unfold.widgets import CHECKBOX_CLASSES, INPUT_CLASSES, RADIO_CLASSES, TEXTAREA_CLASSES

register = template.Library()
_CLASSES = ((CheckboxInput, CHECKBOX_CLASSES), (RadioSelect, RADIO_CLASSES), (Textarea, TEXTAREA_CLASSES))


@register.filter
def styled(field: BoundField) -> SafeString:
    """A field's input with the classes that unfold gives to inputs of this kind; its label says what belongs there."""
    widget = field.field.widget
    widget.attrs.pop("placeholder", None)
    classes = next((classes for kind, classes in _CLASSES if isinstance(widget, kind)), INPUT_CLASSES)
    return field.as_widget(attrs={"class": " ".join(classes)})


@register.simple_tag
def input_classes() -> str:
    """The classes of an input that no form has."""
    return " ".join(INPUT_CLASSES)
