"""P: What may be subscribed to where no rules say otherwise (contract, section 5)."""

from typing import Any, Final, Protocol

from authproxy.identity import Identity


class Rules(Protocol):
    """A revision's, or the usual ones."""

    def may_subscribe(self, topic: str, identity: Any, scopes: frozenset[str]) -> bool: ...


class UsualRules:
    """Everybody who is signed in: `generation.*` and what is addressed to them. Staff: what the gateway says, too."""

    def may_subscribe(self, topic: str, identity: Any, _scopes: frozenset[str]) -> bool:
        if topic.startswith("generation.") or (identity.is_staff and topic.startswith("gateway.")):
            return True
        return bool(identity.user_id) and topic == f"user.{identity.user_id}"


USUAL: Final[Rules] = UsualRules()
ANYBODY: Final = Identity(method="jwt", consumer="anonymous")
"""Who calls where authentication is off."""


def owner_of(identity: Identity) -> str:
    """One person or program, whatever credential it comes with."""
    return f"{identity.kind}:{identity.provider}:{identity.consumer}"
