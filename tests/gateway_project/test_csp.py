"""The Content-Security-Policy of Django's answers."""

from dataclasses import replace

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from gateway_project.csp import PolicyMiddleware

HEADER = "Content-Security-Policy"


def policy_of(path: str, response: HttpResponse) -> dict[str, list[str]]:
    def view(request: HttpRequest) -> HttpResponse:
        return response

    answer = PolicyMiddleware(view)(RequestFactory().get(path))
    directives = [directive.split(" ") for directive in answer[HEADER].split("; ")]
    return {name: values for name, *values in directives}


def test_nothing_may_be_loaded_outside_admin() -> None:
    """An answer that is not a page of admin's needs no source at all."""
    assert policy_of("/api/v1/x", HttpResponse())["default-src"] == ["'none'"]
    assert "script-src" not in policy_of("/adminx", HttpResponse())


def test_admin_may_run_alpine() -> None:
    """Admin's scripts come from here only and may evaluate expressions; inline scripts stay forbidden."""
    policy = policy_of("/admin/", HttpResponse())

    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["style-src"] == ["'self'", "'unsafe-inline'"]


@pytest.mark.parametrize(
    ("issuer", "targets"),
    [
        (None, ["'self'"]),
        ("https://id.example.com/realm", ["'self'", "https:"]),
        ("http://127.0.0.1:8080/o", ["'self'", "http://127.0.0.1:8080"]),
    ],
)
def test_sign_in_may_lead_to_the_identity_provider(
    monkeypatch: pytest.MonkeyPatch, issuer: str | None, targets: list[str]
) -> None:
    """Browsers hold redirects of a form against its page's policy, and a provider may send on to another one."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, staff_oidc_issuer=issuer))
    policy = policy_of("/accounts/login/", HttpResponse())

    assert policy["form-action"] == targets
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy_of("/admin/", HttpResponse())["form-action"] == ["'self'"]


@pytest.mark.parametrize("path", ["/", "/admin/", "/accounts/login/"])
def test_no_page_may_be_framed_or_rebased(path: str) -> None:
    """Clickjacking and base-tag injection are shut out everywhere."""
    policy = policy_of(path, HttpResponse())

    assert (policy["frame-ancestors"], policy["base-uri"]) == (["'none'"], ["'none'"])


def test_view_may_have_a_policy_of_its_own() -> None:
    """What a view sets for its answer wins over the path's policy."""
    response = HttpResponse()
    response._csp_config = {"default-src": ["https:"]}  # type: ignore[attr-defined]

    assert policy_of("/admin/", response) == {"default-src": ["https:"]}
