"""D: Secrets of second factors, encrypted under SECRET_KEY: who reads the database cannot make codes."""

import base64
import secrets
from functools import lru_cache

from django.conf import settings

from authproxy.sealing import Sealer


def seal(text: str) -> str:
    """The text, encrypted; always different."""
    return _sealer(settings.SECRET_KEY).seal(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """The text again. What another SECRET_KEY has sealed becomes a secret that nobody knows: no code fits it."""
    plain = _sealer(settings.SECRET_KEY).unseal(sealed.encode())
    return base64.b32encode(secrets.token_bytes(20)).decode("ascii") if plain is None else plain.decode()


@lru_cache(maxsize=2)
def _sealer(secret_key: str) -> Sealer:
    return Sealer(secret_key, purpose="second factors")
