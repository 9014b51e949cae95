"""D: Admin's pages as tests use them: sign in, fill in a form as it was rendered, read where the errors stand."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Permission, User
from django.forms import ModelMultipleChoiceField
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse


def signed_in(name: str = "anna", *, permissions: tuple[str, ...] | None = None) -> Client:
    """A client with a session: a superuser, or staff with just these permissions (`routing.view_route`)."""
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, is_staff=True)
    user.is_superuser = permissions is None
    user.save()
    for each in permissions or ():
        app, codename = each.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    client = Client()
    client.force_login(user)
    return client


def viewer() -> Client:
    """Somebody who may see everything and change nothing."""
    names = Permission.objects.filter(codename__startswith="view_").values_list(
        "content_type__app_label", "codename"
    )
    return signed_in("viewer", permissions=tuple(f"{app}.{codename}" for app, codename in names))


def page(kind: str, what: str, *arguments: Any) -> str:
    """`page("route", "change", 1)` → the page's path."""
    return reverse(f"admin:routing_{kind}_{what}", args=arguments)


def filled(client: Client, url: str) -> dict[str, Any]:
    """What a browser would send if one pressed Save on a form without touching it."""
    context = client.get(url).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for field in form:
            value = field.value()
            if isinstance(field.field, ModelMultipleChoiceField):
                data[field.html_name] = [each.pk for each in value or ()]
            else:
                data[field.html_name] = "" if value is None else str(value)
    return data


def submit(client: Client, url: str, changes: Mapping[str, Any]) -> HttpResponse:
    """Opens a form, changes some of it, and saves."""
    return client.post(url, {**filled(client, url), **changes})  # type: ignore[return-value]


def errors(response: Any) -> dict[str, list[str]]:
    """Messages by field, as the page shows them; rows of an inline are called `targets-0-url`."""
    assert response.status_code == 200, f"nothing was refused: {response.status_code}"
    found = {name: list(texts) for name, texts in response.context["adminform"].form.errors.items()}
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {f"{form.prefix}-{name}": list(texts) for name, texts in form.errors.items()}
    return found


def messages(response: Any) -> list[str]:
    """What the page that follows says."""
    return [str(message) for message in response.context["messages"]]
