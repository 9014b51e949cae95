"""P: EMAIL_URL as Django's mail settings."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

SCHEMES: Final = ("smtp", "smtp+tls", "smtps")
_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail_settings(url: str | None, sender: str) -> dict[str, Any]:
    """`smtp` is plain, `smtp+tls` asks for STARTTLS, `smtps` is TLS from the beginning. Without a URL, no host."""
    common = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "DEFAULT_FROM_EMAIL": sender}
    if not url:
        return {**common, "EMAIL_HOST": ""}
    parts = urlsplit(url)
    return {
        **common,
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or _PORTS[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }
