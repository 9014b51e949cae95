"""D: The form of a group: whoever fills it in passes on no right that they do not have."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from authproxy.admin.rights import beyond

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Group]
else:
    _ModelForm = forms.ModelForm


class GroupForm(_ModelForm):
    """`me` is who fills it in. It has no default: a form that nobody told it refuses to be asked."""

    me: Any

    class Meta:
        model = Group
        fields: ClassVar[list[str]] = ["name", "permissions"]

    def clean_permissions(self) -> "QuerySet[Permission]":
        """Refuses what is new and not theirs; what the group has already may stay."""
        wanted: QuerySet[Permission] = self.cleaned_data["permissions"]
        there = self.instance.permissions.values("pk") if self.instance.pk is not None else []
        if missing := beyond(self.me, wanted.exclude(pk__in=there).select_related("content_type")):
            raise ValidationError(f"You do not have these rights yourself: {', '.join(missing)}.")
        return wanted
