"""Secrets are not in the row as they are."""

from typing import Any

from observability.alerts.secrets import sealed, unsealed


def test_sealed(settings: Any) -> None:
    """And open only under the key that sealed them."""
    kept = sealed("whsec_x")
    assert b"whsec_x" not in kept
    assert unsealed(kept) == "whsec_x"
    settings.SECRET_KEY = "another one, that is long enough"
    assert unsealed(kept) is None
