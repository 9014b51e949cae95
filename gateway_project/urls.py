"""D: The paths that Django answers."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from authproxy.views import discovery
from gateway_project import changesurls, controlurls
from observability.admin import traffic
from observability.views.usage import UsageView
from realtime.admin import live
from routing.admin import comparing, explaining, importing

site: Any = admin.site
site.extra_urls = lambda: [
    *comparing.urls(),
    *explaining.urls(),
    *importing.urls(),
    *live.urls(),
    *traffic.urls(),
]

_prefix = f"{settings.CONFIG.api_prefix.strip('/')}/".lstrip("/")

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("gateway_project.signin.urls")),
    path("", include("authproxy.urls")),
    path(f"{_prefix}users/me/usage", UsageView.as_view()),
    *controlurls.urlpatterns,
    *changesurls.urlpatterns,
    path("discovery/register", discovery.RegisterView.as_view()),
    path("discovery/lease/<uuid:pk>", discovery.LeaseView.as_view()),
    path("discovery/services", discovery.ServicesView.as_view()),
    path("discovery/health", discovery.HealthView.as_view()),
    path("discovery/traefik", discovery.TraefikView.as_view()),
]

handler400 = "gateway_project.errors.bad_request"
handler403 = "gateway_project.errors.permission_denied"
handler404 = "gateway_project.errors.page_not_found"
handler500 = "gateway_project.errors.server_error"
