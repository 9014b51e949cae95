"""D: The paths that Django answers."""

from typing import Any

from django.contrib import admin
from django.urls import include, path

from authproxy.views import discovery
from authproxy.views.breakers import BreakerView
from authproxy.views.cachepurge import CachePurgeView
from authproxy.views.canaries import CanariesView, CanaryView
from authproxy.views.explain import ExplainView
from authproxy.views.quotacounts import CountsView, ResetView
from authproxy.views.targets import DrainView, ReadmitView, TargetsView
from realtime.admin import live
from realtime.views.sockets import EndView, SocketsView
from routing.admin import explaining, importing

site: Any = admin.site
site.extra_urls = lambda: [*explaining.urls(), *importing.urls(), *live.urls()]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("gateway_project.signin.urls")),
    path("", include("authproxy.urls")),
    path("control/v1/breakers/<str:service>", BreakerView.as_view()),
    path("control/v1/cache/purge", CachePurgeView.as_view()),
    path("control/v1/canaries", CanariesView.as_view()),
    path("control/v1/canaries/<str:route>", CanaryView.as_view()),
    path("control/v1/explain", ExplainView.as_view()),
    path("control/v1/quotas/counts", CountsView.as_view()),
    path("control/v1/quotas/counts/reset", ResetView.as_view()),
    path("control/v1/services/<str:service>/targets", TargetsView.as_view()),
    path("control/v1/services/<str:service>/targets/drain", DrainView.as_view()),
    path("control/v1/services/<str:service>/targets/readmit", ReadmitView.as_view()),
    path("control/v1/sockets", SocketsView.as_view()),
    path("control/v1/sockets/end", EndView.as_view()),
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
