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
                _owned("Services", "dns", "service"),
                _owned("Routes", "alt_route", "route"),
                _item(
                    "Route defaults", "tune", "routing_routedefaults_changelist", "routing.view_routedefaults"
                ),
                _item("Explain", "travel_explore", "routing_explain", "routing.view_route"),
                _item("Import OpenAPI", "upload_file", "routing_import_openapi") | {"permission": may_import},
            ],
        },
        {
            "title": "Publishing",
            "separator": True,
            "items": [
                _pending(request),
                _item(
                    "Scheduled changes",
                    "event_upcoming",
                    "routing_schedule_changelist",
                    "routing.view_schedule",
                ),
                _item("Revisions", "history", "routing_revision_changelist", "routing.view_revision"),
                _item(
                    "Audit trail",
                    "receipt_long",
                    "observability_auditevent_changelist",
                    "observability.view_auditevent",
                ),
                _item("Nodes", "memory", "routing_node_changelist", "routing.view_node"),
            ],
        },
        _requests(),
        _traffic(),
        _alerts(),
        _realtime(),
        _access(),
    ]


def _requests() -> dict[str, Any]:
    """What was asked of the gateway, and what would become of it."""
    requests = "observability.view_keptrequest"
    return {
        "title": "Requests",
        "separator": True,
        "items": [
            _item("Requests", "receipt_long", "observability_keptrequest_changelist", requests),
            _item(
                "Log-only policies",
                "policy_alert",
                "observability_wouldrefuse_changelist",
                "observability.view_wouldrefuse",
            ),
        ],
    }


def _traffic() -> dict[str, Any]:
    """What runs, and whom it holds back."""
    return {
        "title": "Traffic",
        "separator": True,
        "items": [
            _item("Dashboard", "query_stats", "traffic", "routing.view_service", "routing.operate"),
            _item(
                "Discovered targets",
                "sensors",
                "routing_lease_changelist",
                "routing.view_lease",
                "routing.view_service",
                "routing.operate",
            ),
            _item(
                "Targets",
                "ecg_heart",
                "resilience_targethealth_changelist",
                "routing.view_service",
                "routing.operate",
            ),
            _item(
                "Breakers",
                "electric_bolt",
                "resilience_breakerstate_changelist",
                "routing.view_service",
                "routing.operate",
            ),
            _item(
                "Canaries",
                "trending_up",
                "resilience_canarystate_changelist",
                "routing.view_service",
                "routing.operate",
            ),
            _item(
                "Cache purges",
                "delete_sweep",
                "resilience_cachepurge_changelist",
                "routing.view_service",
                "routing.operate",
            ),
            _item("Quotas", "speed", "routing_quota_changelist", "routing.view_quota"),
            _item(
                "Calendar counts",
                "calendar_month",
                "resilience_quotacount_changelist",
                "authproxy.view_limitedcaller",
                "routing.operate",
            ),
            _item(
                "Limited callers",
                "front_hand",
                "authproxy_limitedcaller_changelist",
                "authproxy.view_limitedcaller",
            ),
        ],
    }


def _alerts() -> dict[str, Any]:
    """What is wrong, and who is told."""
    sees = ("routing.view_service", "routing.operate")
    return {
        "title": "Alerts",
        "separator": True,
        "items": [
            _item("Incidents", "notification_important", "observability_incident_changelist", *sees),
            _item(
                "Alert receivers",
                "notifications_active",
                "observability_alertreceiver_changelist",
                "observability.view_alertreceiver",
            ),
            _item("Alert deliveries", "outgoing_mail", "observability_alertdelivery_changelist", *sees),
        ],
    }


def _realtime() -> dict[str, Any]:
    """What happens as it happens."""
    return {
        "title": "Realtime",
        "separator": True,
        "items": [
            _item("Live", "monitoring", "realtime_live", "routing.view_service", "routing.operate"),
            _item("Topic rules", "rule", "routing_topicrule_changelist", "routing.view_topicrule"),
            _item(
                "Live connections",
                "cable",
                "realtime_livesocket_changelist",
                "authproxy.view_limitedcaller",
                "routing.operate",
            ),
            _item(
                "Waiting events",
                "outbox",
                "realtime_waitingevent_changelist",
                "authproxy.view_limitedcaller",
                "routing.operate",
            ),
            _item(
                "Dead letters",
                "unsubscribe",
                "realtime_deadletter_changelist",
                "authproxy.view_limitedcaller",
                "routing.operate",
            ),
        ],
    }


def _access() -> dict[str, Any]:
    """Who calls, and what they may."""
    return {
        "title": "Access",
        "separator": True,
        "items": [
            _item("Consumers", "badge", "authproxy_consumer_changelist", "authproxy.view_consumer"),
            _item("API keys", "key", "authproxy_apikey_changelist", "authproxy.view_apikey"),
            _item("Plans", "sell", "routing_plan_changelist", "routing.view_plan"),
            _item("Users", "person", "auth_user_changelist", "auth.view_user"),
            _item("Groups", "group", "auth_group_changelist", "auth.view_group"),
            _item("Roles", "shield_person", "routing_rolescopes_changelist", "routing.view_rolescopes"),
            _item(
                "Identity providers",
                "verified_user",
                "routing_identityprovider_changelist",
                "routing.view_identityprovider",
            ),
            _item("Owners", "supervisor_account", "routing_owner_changelist", "routing.view_owner"),
            _item("Sessions", "devices", "authproxy_session_changelist", "authproxy.view_session"),
            _item(
                "Signing keys",
                "encrypted",
                "authproxy_signingkey_changelist",
                "authproxy.view_signingkey",
            ),
            _item(
                "Security events",
                "policy",
                "authproxy_securityevent_changelist",
                "authproxy.view_securityevent",
            ),
        ],
    }


def _pending(request: HttpRequest) -> dict[str, Any]:
    """Pending changes, with their number unless there are none."""
    from routing.models import PendingChange

    permission, name = "routing.view_pendingchange", "routing_pendingchange_changelist"
    item = _item("Pending changes", "pending_actions", name, permission)
    count = PendingChange.objects.count() if request.user.has_perm(permission) else 0
    return item | ({"badge": str(count), "badge_variant": "warning"} if count else {})


def _owned(title: str, icon: str, kind: str) -> dict[str, Any]:
    """The page of a kind of row that somebody may own without the right to see all of them."""

    def may_see(request: HttpRequest) -> bool:
        from routing import models, owning

        return owning.may_see(request.user, {"service": models.Service, "route": models.Route}[kind])

    return _item(title, icon, f"routing_{kind}_changelist") | {"permission": may_see}


def may_import(request: HttpRequest) -> bool:
    """Whether somebody may make and change services and routes."""
    from routing.admin.importing import PERMISSIONS

    return bool(request.user.has_perms(PERMISSIONS))


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
    "DASHBOARD_CALLBACK": "gateway_project.frontpage.fill",
    "STYLES": [lambda _request: static("torana/admin.css")],
    "SCRIPTS": [lambda _request: static("torana/names.js")],
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("torana/icon.svg")}
    ],
    "ACCOUNT": {
        "navigation": [
            {"title": "Password", "link": reverse_lazy("account_change_password")},
            {"title": "Second factor", "link": reverse_lazy("mfa_index")},
        ]
    },
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
