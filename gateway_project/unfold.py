"""D: How admin looks and what its sidebar offers; every item asks for a permission."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

Allowed = Callable[[HttpRequest], bool]


def may(*permissions: str) -> Allowed:
    """Whether somebody has any of these permissions."""
    return lambda request: any(request.user.has_perm(permission) for permission in permissions)


def environment(_request: HttpRequest) -> list[str]:
    """The environment's name and colour, beside the user's name."""
    from django.conf import settings

    name: str = settings.CONFIG.environment
    return [name.capitalize(), "danger" if name == "production" else "info"]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's groups; unfold leaves out what the user has no permission for."""
    return [
        {
            "title": "Configuration",
            "separator": False,
            "items": [
                _item("Overview", "dashboard", "index", "routing.view_route", "routing.view_service"),
                _item("Services", "dns", "routing_service_changelist", "routing.view_service"),
                _item("Routes", "alt_route", "routing_route_changelist", "routing.view_route"),
                _item(
                    "Route defaults", "tune", "routing_routedefaults_changelist", "routing.view_routedefaults"
                ),
                _item("Explain", "travel_explore", "routing_explain", "routing.view_route"),
            ],
        },
        {
            "title": "Publishing",
            "separator": True,
            "items": [
                _pending(request),
                _item("Revisions", "history", "routing_revision_changelist", "routing.view_revision"),
                _item("Nodes", "memory", "routing_node_changelist", "routing.view_node"),
            ],
        },
        {
            "title": "Accounts",
            "separator": True,
            "items": [
                _item("Users", "person", "auth_user_changelist", "auth.view_user"),
                _item("Groups", "group", "auth_group_changelist", "auth.view_group"),
            ],
        },
    ]


def _pending(request: HttpRequest) -> dict[str, Any]:
    """Pending changes, with their number unless there are none."""
    from routing.models import PendingChange

    permission, name = "routing.view_pendingchange", "routing_pendingchange_changelist"
    item = _item("Pending changes", "pending_actions", name, permission)
    count = PendingChange.objects.count() if request.user.has_perm(permission) else 0
    return item | ({"badge": str(count), "badge_variant": "warning"} if count else {})


def _item(title: str, icon: str, name: str, *permissions: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}"),
        "permission": may(*permissions),
    }


FORMAT_MODULE_PATH = ["gateway_project.formats"]
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Torana",
    "SITE_HEADER": "Torana",
    "SITE_SUBHEADER": "API gateway",
    "SITE_URL": None,
    "SITE_SYMBOL": "door_open",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "gateway_project.unfold.environment",
    "DASHBOARD_CALLBACK": "routing.admin.dashboard.fill",
    "STYLES": [lambda _request: static("torana/admin.css")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("torana/icon.svg")}
    ],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .013 17.38)",
            "100": "oklch(94.6% .03 40)",
            "200": "oklch(89.5% .06 42)",
            "300": "oklch(82% .1 43)",
            "400": "oklch(72% .14 42)",
            "500": "oklch(63% .155 40)",
            "600": "oklch(54% .145 38)",
            "700": "oklch(47% .125 37)",
            "800": "oklch(40% .1 37)",
            "900": "oklch(35% .08 37)",
            "950": "oklch(24% .055 36)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "gateway_project.unfold.navigation",
    },
}
