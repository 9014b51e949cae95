"""Template tags of the sign-in pages."""

from django import forms

from gateway_project.signin.tags import input_classes, styled


class Form(forms.Form):
    """One field of each kind that the pages have."""

    name = forms.CharField(widget=forms.TextInput(attrs={"placeholder": "Name"}))
    sure = forms.BooleanField()
    notes = forms.CharField(widget=forms.Textarea)


def test_inputs_look_like_unfolds() -> None:
    """A text field, a box to tick and a larger text differ."""
    looks = {field.name: str(styled(field)) for field in Form()}

    assert input_classes() in looks["name"]
    assert input_classes() not in looks["sure"]
    assert len({look.split('class="')[1].split('"')[0] for look in looks.values()}) == 3


def test_label_is_not_said_twice() -> None:
    """Placeholders repeat the label."""
    assert 'placeholder="' not in styled(Form()["name"])
