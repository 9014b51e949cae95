"""D: Admin's own doors lead to the pages of sign-in; what is not offered says so."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache

NOT_STAFF = "account/not_staff.html"
PROVIDER_FAILED = "socialaccount/authentication_error.html"
# Of a provider that is away (requests raises OSErrors), or that answers with something else than was asked for.
_PROVIDER_FAULTS = (OAuth2Error, OSError, LookupError, ValueError, TypeError, AttributeError)
_log = logging.getLogger(__name__)


@never_cache
def admin_login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """In the place of admin's login page: sends strangers to sign in, and staff on its way."""
    there = request.GET.get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(there, allowed_hosts=None):  # only paths of this site
        there = reverse("admin:index")
    if not request.user.is_authenticated:
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({REDIRECT_FIELD_NAME: there})}")
    if not request.user.is_staff:
        return render(request, NOT_STAFF, status=403)
    return HttpResponseRedirect(there)


def admin_password_change(_request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """In the place of admin's: there is one page for it."""
    return HttpResponseRedirect(reverse("account_change_password"))


def no_password(_request: HttpRequest) -> NoReturn:
    """Where an account without a password would be given one: it signs in elsewhere, and stays so."""
    raise PermissionDenied("This account has no password here: it signs in through the identity provider.")


def forgiving(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that asks the identity provider: what that does wrong is told on a page, and is no error of ours."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except _PROVIDER_FAULTS as error:
            _log.warning("the identity provider of staff failed: %s", type(error).__name__)
            return render(request, PROVIDER_FAILED, status=502)

    return wrapped
