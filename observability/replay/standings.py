"""P: Whether a route would admit whoever made a kept request, by what was kept of the caller."""

from typing import Final, cast, get_args

from authproxy.admissions import OFF, admission_of, shown
from authproxy.identity import Identity
from authproxy.problems import Reason, unauthenticated
from observability.replay.recorded import Recorded
from observability.replay.sides import Pair, Side
from routing.snapshot import Auth, CompiledRoute
from routing.standing import Admission

NOT_LOOKED_AT: Final = "whose its credentials are: they were not looked at then, and are not kept"
PROVIDER: Final = (
    "whether its token would be accepted: the identity provider differs, and tokens are not kept"
)
OTHERS: Final = "whether its other credentials would be accepted: only what the one that counted says is kept"
AWAY: Final = "whose its credentials are: they could not be checked then"
ROLES: Final = "whether its caller has a role of its own, or only by default"
TOO_MANY: Final = "all roles and scopes of its caller: there are too many"
_INVALID: Final = ("invalid", "expired")


def standing(recorded: Recorded, route: CompiledRoute, side: Side, pair: Pair) -> Admission | str:
    """What admission would make of the caller as it was then; a text names what one would have to know."""
    auth = route.auth
    if not pair.is_on:
        return Admission(remark=OFF)
    caller = recorded.caller
    if caller is None:
        return _of_nobody(recorded, route, side, pair)
    if caller.provider in side.changed_providers:
        return PROVIDER if auth.level != "public" or auth.reject_invalid else Admission()
    if caller.method not in auth.methods:
        if len(recorded.credentials) > 1 and auth.level != "public":
            return OTHERS
        return _admission(route, side, pair, None)
    return _of_somebody(recorded, caller, route, side, pair)


def _of_somebody(
    recorded: Recorded, caller: Identity, route: CompiledRoute, side: Side, pair: Pair
) -> Admission | str:
    """By the least and by the most that the caller may have."""
    by_default = side.more_roles if caller.kind == "user" and not caller.provider else frozenset()
    least = _admission(route, side, pair, _with_roles(caller, caller.roles - side.fewer_roles))
    if least.refusal is None:
        return _admission(route, side, pair, caller)
    if recorded.has_more_names:
        return TOO_MANY
    most = _admission(route, side, pair, _with_roles(caller, caller.roles | by_default))
    return ROLES if most.refusal is None and (by_default or side.fewer_roles) else least


def _of_nobody(recorded: Recorded, route: CompiledRoute, side: Side, pair: Pair) -> Admission | str:
    auth = route.auth
    asks = auth.level != "public"
    if not (asks or auth.reject_invalid) or not recorded.credentials:
        return _admission(route, side, pair, None)
    if recorded.auth_failure == "unavailable":
        return AWAY
    if not _were_looked_at(recorded, auth, side, pair):
        return NOT_LOOKED_AT
    reason = _reason(recorded.auth_failure)
    if not asks and reason in _INVALID:
        refusal = unauthenticated(reason, methods=auth.methods, realm=pair.realm)
        return Admission(refusal=shown(refusal), lacking=refusal.details)
    return _admission(route, side, pair, None, reason)


def _were_looked_at(recorded: Recorded, auth: Auth, side: Side, pair: Pair) -> bool:
    """Whether a route with the same ways in, or more of them, has judged its credentials then."""
    live = pair.before.snapshot
    then = live.routes.get(recorded.route) if recorded.revision == live.revision else None
    if then is None or side.has_other_providers or not recorded.auth_failure:
        return False
    was_refused_before = recorded.code == "FORBIDDEN" and recorded.auth_failure != "cross_site"
    return set(auth.methods) <= set(then.auth.methods) and not was_refused_before


def _reason(text: str) -> Reason:
    return cast("Reason", text) if text in get_args(Reason) else "missing"


def _admission(
    route: CompiledRoute, side: Side, pair: Pair, identity: Identity | None, reason: Reason = "missing"
) -> Admission:
    return admission_of(route, side.snapshot, identity, reason, is_on=pair.is_on, realm=pair.realm)


def _with_roles(caller: Identity, roles: frozenset[str]) -> Identity:
    if roles == caller.roles:
        return caller
    return Identity(
        method=caller.method,
        kind=caller.kind,
        name=caller.name,
        consumer=caller.consumer,
        plan=caller.plan,
        roles=roles,
        direct=caller.direct,
        ceiling=caller.ceiling,
        is_staff=caller.is_staff,
        provider=caller.provider,
    )
