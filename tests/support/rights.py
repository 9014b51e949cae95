"""P: Who may do what in admin, as data: every page, and every action, by the kinds of account that there are.

A letter stands for a kind of account. What is not listed is not allowed, and what is not in the tables fails a test.
"""

from typing import Final

KINDS: Final[dict[str, str]] = {
    "-": "nobody",  # staff without any right
    "V": "viewer",
    "O": "operator",
    "E": "editor",
    "P": "publisher",
    "S": "security admin",
    "A": "superuser",
    "W": "owner",  # of the service "mine", and so of the route "mine"
}
ALL: Final = "-VOEPSAW"
STAFF: Final = "VOEPSA"

# Model: who may see its pages, add, change, delete.
MODELS: Final[dict[str, tuple[str, str, str, str]]] = {
    "routing.service": (STAFF + "W", "EA", "EAW", "EA"),
    "routing.route": (STAFF + "W", "EA", "EAW", "EA"),
    "routing.routedefaults": (STAFF, "", "EA", ""),
    "routing.quota": (STAFF, "EA", "EA", "EA"),
    "routing.plan": (STAFF, "EA", "EA", "EA"),
    "routing.topicrule": (STAFF, "SA", "SA", "SA"),
    "routing.rolescopes": (STAFF, "SA", "SA", "SA"),
    "routing.identityprovider": (STAFF, "SA", "SA", "SA"),
    "routing.owner": (STAFF, "SA", "SA", "SA"),
    "routing.revision": (STAFF, "", "", ""),
    "routing.pendingchange": (STAFF, "", "", ""),
    "routing.node": (STAFF, "", "", ""),
    "routing.lease": (STAFF, "", "", ""),
    "resilience.breakerstate": (STAFF, "", "", ""),
    "resilience.breakertransition": (STAFF, "", "", ""),
    "resilience.canarystate": (STAFF, "", "", ""),
    "resilience.canaryevent": (STAFF, "", "", ""),
    "resilience.targethealth": (STAFF, "", "", ""),
    "resilience.cachepurge": (STAFF, "", "", ""),
    "resilience.quotacount": (STAFF, "", "", ""),
    "resilience.quotareset": (STAFF, "", "", ""),
    "resilience.targetreadmission": (STAFF, "", "", ""),
    "authproxy.consumer": (STAFF, "SA", "SA", "SA"),
    "authproxy.apikey": (STAFF, "SA", "", ""),
    "authproxy.session": (STAFF, "", "", ""),
    "authproxy.signingkey": (STAFF, "", "", ""),
    "authproxy.securityevent": (STAFF, "", "", ""),
    "authproxy.limitedcaller": (STAFF, "", "", ""),
    "realtime.waitingevent": (STAFF, "", "", ""),
    "realtime.socketending": (STAFF, "", "", ""),
    "realtime.livesocket": (STAFF, "", "", ""),
    "realtime.deadletter": (STAFF, "", "", ""),
    "auth.user": (STAFF, "SA", "SA", "SA"),
    "auth.group": (STAFF, "SA", "SA", "SA"),
}
# Rows that are somebody else's: an owner sees and changes its own only.
OTHERS: Final = ("routing.service", "routing.route")

# Every other page: who may open it. It is asked with POST where it only takes that.
PAGES: Final[dict[str, str]] = {
    "index": ALL,
    "search": ALL,
    "login": ALL,
    "logout": ALL,
    "password_change": ALL,
    "password_change_done": ALL,
    "jsi18n": ALL,
    "autocomplete": STAFF + "W",  # of services
    "view_on_site": "",
    "app_list": STAFF,
    "routing_explain": STAFF,
    "routing_draft_publish": "PA",
    "routing_draft_discard": "PA",
    "routing_revision_document": STAFF,
    "routing_revision_roll_back": "PA",
    "routing_route_explain": STAFF,
    "routing_route_duplicate": "EA",
    "routing_route_enable": "EAW",
    "routing_route_disable": "EAW",
    "routing_service_duplicate": "EA",
    "routing_service_drain": "OA",
    "routing_lease_approve": "OA",
    "routing_lease_reject": "OA",
    "routing_lease_end": "OA",
    "resilience_breakerstate_force_open": "OA",
    "resilience_breakerstate_force_closed": "OA",
    "resilience_breakerstate_release": "OA",
    "resilience_breakerstate_reset": "OA",
    "resilience_canarystate_pause": "OA",
    "resilience_canarystate_resume": "OA",
    "resilience_canarystate_promote": "OA",
    "resilience_canarystate_roll_back": "OA",
    "resilience_canarystate_restart": "OA",
    "resilience_targethealth_readmit": "OA",
    "resilience_quotacount_reset": "OA",
    "resilience_cachepurge_purge": "OA",
    "routing_route_purge": "OA",
    "routing_import_openapi": "EA",
    "auth_user_password_change": "SA",
    "auth_user_disable": "SA",
    "auth_user_enable": "SA",
    "auth_user_end_sessions": "SA",
    "auth_user_make_consumer": "SA",
    "auth_user_remove_factors": "SA",
    "authproxy_apikey_revoke": "SA",
    "authproxy_consumer_new_key": "SA",
    "authproxy_consumer_enable": "SA",
    "authproxy_consumer_disable": "SA",
    "authproxy_session_end": "SA",
    "authproxy_session_end_all": "SA",
    "authproxy_signingkey_rotate": "SA",
    "realtime_live": STAFF,
    "realtime_live_token": STAFF,
    "realtime_livesocket_end_every_one": "OA",
    "realtime_livesocket_end": "OA",
    "realtime_deadletter_throw": "OA",
    "realtime_deadletter_send": "OA",
}
# Actions of lists: who is offered them.
ACTIONS: Final[dict[str, dict[str, str]]] = {
    "routing.service": {"delete_selected": "EA"},
    "routing.route": {
        "delete_selected": "EA",
        "enable_selected": "EAW",
        "disable_selected": "EAW",
        "purge_selected": "OA",
    },
    "routing.quota": {"delete_selected": "EA"},
    "routing.plan": {"delete_selected": "EA"},
    "routing.topicrule": {"delete_selected": "SA"},
    "routing.rolescopes": {"delete_selected": "SA"},
    "routing.identityprovider": {"delete_selected": "SA"},
    "routing.owner": {"delete_selected": "SA"},
    "routing.lease": {"approve_selected": "OA", "reject_selected": "OA", "end_selected": "OA"},
    "resilience.targethealth": {"readmit_selected": "OA"},
    "auth.user": {"delete_selected": "SA", "enable_selected": "SA", "disable_selected": "SA"},
    "auth.group": {"delete_selected": "SA"},
    "authproxy.consumer": {
        "delete_selected": "SA",
        "enable_selected": "SA",
        "disable_selected": "SA",
        "assign_plan_selected": "SA",
    },
    "authproxy.apikey": {"revoke_selected": "SA"},
    "authproxy.session": {"end_selected": "SA"},
    "realtime.livesocket": {"end_selected": "OA"},
    "realtime.deadletter": {"send_selected": "OA", "throw_selected": "OA"},
}
# Inlines: page and model of the parts, who may see, add, change, delete them.
INLINES: Final[dict[tuple[str, str], tuple[str, str, str, str]]] = {
    ("routing.service", "routing.target"): (STAFF + "W", "EAW", "EAW", "EAW"),
    ("routing.route", "routing.routebackend"): (STAFF + "W", "EAW", "EAW", "EAW"),
    ("authproxy.consumer", "authproxy.apikey"): (STAFF, "", "", ""),
}
# Calls of the control API and of discovery: who gets past who asks. Services register themselves; staff does not.
CALLS: Final[dict[str, str]] = {
    "GET control/v1/breakers/{service}": STAFF,
    "POST control/v1/breakers/{service}": "OA",
    "POST control/v1/cache/purge": "OA",
    "GET control/v1/canaries": STAFF,
    "GET control/v1/canaries/{route}": STAFF,
    "POST control/v1/canaries/{route}": "OA",
    "POST control/v1/explain": STAFF,
    "GET control/v1/quotas/counts": STAFF,
    "POST control/v1/quotas/counts/reset": "OA",
    "GET control/v1/services/{service}/targets": STAFF,
    "POST control/v1/services/{service}/targets/drain": "OA",
    "POST control/v1/services/{service}/targets/readmit": "OA",
    "GET control/v1/sockets": STAFF,
    "POST control/v1/sockets/end": "OA",
    "POST discovery/register": "",
    "PUT discovery/lease/{pk}": "OA",
    "DELETE discovery/lease/{pk}": "OA",
    "GET discovery/services": ALL,
    "GET discovery/health": ALL,
    "GET discovery/traefik": ALL,
}
