"""P: What admission makes of a caller who is known, as explaining and replaying tell it."""

from authproxy.authorise import judge
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.rejections import Rejection
from routing.explanation import Refusal
from routing.snapshot import CompiledRoute, Snapshot
from routing.standing import Admission

OFF = "ENABLE_AUTHENTICATION is off: everybody may pass"


def admission_of(
    route: CompiledRoute,
    snapshot: Snapshot,
    identity: Identity | None,
    reason: Reason = "missing",
    *,
    is_on: bool = True,
    realm: str = "torana",
) -> Admission:
    """`reason` says why nobody is known to call; `is_on` False: routes admit anybody (ENABLE_AUTHENTICATION)."""
    refusal = judge(route.auth, identity, snapshot.roles, reason=reason, realm=realm) if is_on else None
    return Admission(
        refusal=shown(refusal),
        lacking=refusal.details if refusal is not None else {},
        caller=identity.as_json(snapshot.roles) if identity is not None else None,
        fields=_fields(identity, snapshot),
        remark="" if is_on else OFF,
    )


def shown(refusal: Rejection | None) -> Refusal | None:
    """A refusal as explanations have it."""
    return None if refusal is None else Refusal(refusal.status, refusal.code.value, refusal.message)


def _fields(identity: Identity | None, snapshot: Snapshot) -> dict[str, str]:
    if identity is None:
        return {}
    return {name.decode(): value.decode() for name, value in identity.fields(snapshot.roles)}
