"""What is seen of the gateway has its pages in admin."""

from django.contrib import admin

from observability.models import KeptRequest


def test_requests_have_a_page() -> None:
    """By the time that applications are ready."""
    assert KeptRequest in admin.site._registry
