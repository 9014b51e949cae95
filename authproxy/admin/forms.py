"""D: The forms of access: consumers, new keys, and what bulk actions ask for."""

from typing import Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from authproxy import accounts, apikeys
from authproxy.admin.rights import may_act_for
from authproxy.liveroles import live_roles
from authproxy.models import ApiKey, Consumer
from routing.admin.dialogs import ReasonDialog

SECRET: Final = "_torana_secret"  # noqa: S105 - an attribute's name


def plan_choices(current: str = "") -> list[tuple[str, str]]:
    """The plans of the live configuration, none, and the one that a consumer is on, wherever that has gone."""
    names = live_roles().plans
    gone = [(current, f"{current} (not in the configuration)")] if current and current not in names else []
    return [("", "none"), *((name, name) for name in sorted(names)), *gone]


class ConsumerForm(forms.ModelForm):  # type: ignore[type-arg]
    """A consumer. Its name is nobody else's, account or consumer."""

    class Meta:
        model = Consumer
        fields: ClassVar[list[str]] = ["name", "kind", "plan", "roles", "scopes", "notes"]
        widgets: ClassVar[dict[str, Any]] = {
            "scopes": UnfoldAdminTextInputWidget,
            "notes": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }
        help_texts: ClassVar[dict[str, str]] = {
            "kind": "A service is a program: it passes routes whose level is service.",
            "roles": "Each brings the scopes that the configuration gives it.",
            "scopes": "Its own, beside those that its roles bring; with spaces between them.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "plan" in self.fields:
            self.fields["plan"] = forms.ChoiceField(
                choices=plan_choices(self.instance.plan),
                required=False,
                widget=UnfoldAdminSelectWidget,
                help_text="Its quotas take the place of a route's of the same names.",
            )

    def clean_name(self) -> str:
        """Refuses the name of another consumer or account."""
        name: str = self.cleaned_data["name"]
        if accounts.is_taken(name, consumer=self.instance):
            raise ValidationError(accounts.NAME_TAKEN, code="unique")
        return name


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A key to be. Being valid is having been made: only the one service that makes keys knows what may be."""

    request: ClassVar[Any]

    class Meta:
        model = ApiKey
        fields: ClassVar[list[str]] = ["consumer", "name", "scopes", "expires_at"]
        widgets: ClassVar[dict[str, Any]] = {"scopes": UnfoldAdminTextInputWidget}
        help_texts: ClassVar[dict[str, str]] = {
            "scopes": "Narrower than the consumer's, with spaces between them; empty: all that the consumer has. They "
            "narrow neither its roles nor its level: a key of a staff account opens routes of level admin.",
            "expires_at": "In UTC; empty: until it is revoked.",
        }

    def clean_consumer(self) -> Consumer:
        """Refuses to hand out a superuser's rights."""
        consumer: Consumer = self.cleaned_data["consumer"]
        if not may_act_for(self.request, consumer.user):
            raise ValidationError("Only a superuser may make keys for a superuser.")
        return consumer

    def _post_clean(self) -> None:
        if self.errors:
            return
        wanted = self.cleaned_data
        try:
            self.instance, secret = apikeys.create(
                wanted["consumer"],
                wanted["name"],
                scopes=wanted["scopes"],
                expires_at=wanted["expires_at"],
                by=self.request.user.get_username(),
            )
        except ValidationError as error:
            self.add_error(None, error)
        else:
            setattr(self.instance, SECRET, secret)


class PlanDialog(ReasonDialog):
    """Which plan, and why."""

    plan = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)
    field_order = ("plan", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = plan_choices()
