"""D: Telling people that a route asks for a role that nobody can have."""

from django.contrib.auth.models import Group
from django.utils.html import format_html
from django.utils.safestring import SafeString

from routing.models import RoleScopes, Route
from routing.problems import did_you_mean


def unknown_roles(route: Route) -> list[SafeString]:
    """A warning for each role of the route that is neither described nor a group of accounts."""
    auth = route.auth if isinstance(route.auth, dict) else {}
    named = [name for name in auth.get("roles") or () if isinstance(name, str) and "${" not in name]
    if not named:
        return []
    known = {
        *RoleScopes.objects.values_list("name", flat=True),
        *Group.objects.values_list("name", flat=True),
    }
    text = "No account can have the role “{}”: there is no such role or group{}."
    return [format_html(text, name, did_you_mean(name, known)) for name in named if name not in known]
