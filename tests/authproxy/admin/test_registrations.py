"""Pages of access are registered, and rows that are nobody's to look at are not."""

import pytest
from django.apps import apps
from django.contrib import admin

SHOWN = {"Consumer", "ApiKey", "Session", "SigningKey", "SecurityEvent", "LimitedCaller"}


@pytest.mark.parametrize(
    "model", list(apps.get_app_config("authproxy").get_models()), ids=lambda model: model.__name__
)
def test_page_or_none(model: type) -> None:
    """Refresh tokens, failed sign-ins and changes are the gateway's own."""
    assert admin.site.is_registered(model) is (model.__name__ in SHOWN)  # type: ignore[arg-type]
