"""P: Who may call a route of Kong's, as `auth` of a route; never more than might before.

Each of a route's plugins that judge callers has to be content, unless all of them name a consumer for callers without
credentials (https://developer.konghq.com/gateway/authentication/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from routing.foreign import CLOSED, CLOSED_MEANS, Notes, slug
from routing.kong.reading import Entity, Source

Route = dict[str, Any]
AUTHENTICATION: Final = {
    "key-auth": "api_key",
    "key-auth-enc": "api_key",
    "jwt": "jwt",
    "openid-connect": "jwt",
    "oauth2-introspection": "jwt",
    "oauth2": "jwt",
}
_CREDENTIALS_ALONE: Final = frozenset(
    {"basic-auth", "hmac-auth", "ldap-auth", "ldap-auth-advanced", "mtls-auth", "header-cert-auth", "vault-auth",
     "saml", "session", "jwe-decrypt"}
)  # fmt: skip
"""Plugins of Kong's that know callers by what we do not take: callers with credentials of ours are as good as those."""
_JUDGES: Final = re.compile(r"auth|oidc|openid|jwt|saml|\b(?:session|opa)\b")
"""Names of plugins that judge callers, those that people wrote themselves among them."""


def judges(name: str) -> bool:
    """Whether a plugin of this name says who may call."""
    return name == "acl" or bool(_JUDGES.search(name))


def authenticate(route: Route, plugins: Mapping[str, Entity], source: Source, notes: Notes) -> bool:
    """Says `auth`, never more open than before. False: what was asked cannot be asked here, so nobody may come in."""
    asked = [(name, each) for name, each in plugins.items() if _JUDGES.search(name)]
    acl = plugins.get("acl")
    if not asked and acl is None:
        route["auth"] = {"level": "public"}
        return True
    anonymous = [str(each.mapping("config").get("anonymous") or "") for _, each in asked]
    may_be_anonymous = (
        bool(asked) and all(anonymous) and not any(_is_turned_away(name, source) for name in anonymous)
    )
    is_open = all([_is_known(name, plugin, notes) for name, plugin in asked])
    methods = [AUTHENTICATION[name] for name, _ in asked if name in AUTHENTICATION]
    if len(asked) > 1 and not all(anonymous):
        notes.add(
            asked[1][1].place,
            f"Kong asks for every one of a route's credentials, here one is enough; {CLOSED_MEANS}",
        )
        methods, is_open = methods[:1], False
    auth: dict[str, Any] = {"level": "public" if may_be_anonymous else "user"}
    if methods:
        auth["methods"] = sorted(set(methods))
    if (provider := plugins.get("openid-connect")) is not None:
        is_open &= _required(auth, provider, notes)
    if acl is not None:
        is_open &= _grouped(auth, acl, notes)
    route["auth"] = auth
    return is_open


def close(route: Route) -> None:
    """Nobody comes in, whoever they are."""
    route["ip"] = {"deny": list(CLOSED)}


def _is_known(name: str, plugin: Entity, notes: Notes) -> bool:
    """Whether what it judges by can be asked for here, or be left out since credentials of ours are as good."""
    if name in AUTHENTICATION:
        _explain_credentials(name, plugin, notes)
    elif name in _CREDENTIALS_ALONE:
        notes.add(plugin.place, f"{name}: has no counterpart; the route stays closed to such callers")
    else:
        notes.add(plugin.place, f"{name}: has no counterpart; {CLOSED_MEANS}")
        return False
    return True


def _grouped(auth: dict[str, Any], acl: Entity, notes: Notes) -> bool:
    config = acl.mapping("config")
    if groups := config.get("allow") or config.get("whitelist") or []:
        if auth["level"] == "public":
            notes.add(acl.place, "callers without credentials have no role here; they are refused")
        auth |= {"level": "user", "roles": [slug(str(group)) for group in groups]}
    if not (config.get("deny") or config.get("blacklist")):
        return True
    notes.add(f"{acl.place}.config.deny", f"roles can only be asked for, not excluded; {CLOSED_MEANS}")
    return False


def _required(auth: dict[str, Any], provider: Entity, notes: Notes) -> bool:
    """Of several texts one is enough for Kong; a text of several words asks for all of them."""
    config = provider.mapping("config")
    lost = []
    for key in ("scopes_required", "roles_required", "groups_required", "audience_required"):
        found = config.get(key) or []
        if key == "scopes_required" and len(found) == 1:
            auth["scopes"] = str(found[0]).split()
        elif found:
            lost.append(key)
            notes.add(f"{provider.place}.config.{key}", f"is not carried over; {CLOSED_MEANS}")
    return not lost


def _is_turned_away(consumer: str, source: Source) -> bool:
    """The usual way to let several credentials do: callers without one are a consumer whom a plugin refuses."""
    known = {consumer} | {
        str(each.get(key))
        for each in source.consumers
        for key in ("username", "id", "custom_id")
        if consumer in (each.get("username"), each.get("id"))
    }
    return any(
        each.consumer in known and each.get("name") == "request-termination" for each in source.plugins
    )


def _explain_credentials(name: str, plugin: Entity, notes: Notes) -> None:
    config = plugin.mapping("config")
    if name.startswith("key-auth"):
        names = config.get("key_names") or ["apikey"]
        if [str(each).lower() for each in names] != ["x-api-key"]:
            shown = ", ".join(map(str, names))
            notes.add(
                f"{plugin.place}.config.key_names",
                f"{shown}: keys come as X-API-Key or Authorization: ApiKey",
            )
    elif name == "openid-connect":
        notes.add(
            plugin.place, f"add the provider under identity_providers: issuer {config.get('issuer', '?')}"
        )
    elif name == "jwt":
        notes.add(
            plugin.place,
            "add who signs the tokens under identity_providers: jwks_url, or secret",
        )
    else:
        notes.add(plugin.place, f"{name}: tokens are issued at /api/v1/auth/token instead")
