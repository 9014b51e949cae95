"""D: Telling people that a service gets tokens which it cannot verify."""

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing.cleaning import saved_children, written
from routing.document.effective import with_defaults
from routing.document.token_rules import KEY, check_forwarded_token, check_token
from routing.models import Route, RouteDefaults


def unverifiable_tokens(row: Route | RouteDefaults) -> list[SafeString]:
    """The warning of the document, on the page of a route, which shows what is in force, or of the defaults."""
    algorithm = settings.CONFIG.jwt_algorithm
    if isinstance(row, RouteDefaults):
        found = check_token((row.values or {}).get(KEY), "routes send their services", algorithm)
    else:
        defaults = RouteDefaults.objects.values_list("values", flat=True).first() or {}
        entry = with_defaults(defaults, written(row, children=saved_children(row)))
        found = check_forwarded_token(entry, None, jwt_algorithm=algorithm)
    return [format_html("{}.", finding.message[0].upper() + finding.message[1:]) for finding in found]
