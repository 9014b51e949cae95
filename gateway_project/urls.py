"""D: The paths that Django answers."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]

handler400 = "gateway_project.errors.bad_request"
handler403 = "gateway_project.errors.permission_denied"
handler404 = "gateway_project.errors.page_not_found"
handler500 = "gateway_project.errors.server_error"
