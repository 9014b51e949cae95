"""D: Secrets of webhooks, sealed under SECRET_KEY: written, and never shown again."""

from django.conf import settings

from authproxy.sealing import Sealer

PURPOSE = "alert receivers"


def sealed(secret: str) -> bytes:
    """As the row keeps it."""
    return _sealer().seal(secret.encode())


def unsealed(kept: bytes) -> str | None:
    """None for what was sealed under another SECRET_KEY."""
    plain = _sealer().unseal(kept)
    return None if plain is None else plain.decode()


def _sealer() -> Sealer:
    return Sealer(settings.SECRET_KEY, purpose=PURPOSE)
