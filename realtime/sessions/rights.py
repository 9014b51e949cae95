"""P: Whose a connection is."""

from typing import Final

from authproxy.identity import Identity

ANYBODY: Final = Identity(method="jwt", consumer="anonymous")
"""Who calls where authentication is off."""


def owner_of(identity: Identity) -> str:
    """One person or program, whatever credential it comes with."""
    return f"{identity.kind}:{identity.provider}:{identity.consumer}"
