"""D: Who may pass, as rows, gathered for Django."""

from authproxy.rows.attempts import FailedSignIn
from authproxy.rows.changes import IdentityChange
from authproxy.rows.consumers import ApiKey, Consumer
from authproxy.rows.events import SecurityEvent
from authproxy.rows.limited import LimitedCaller
from authproxy.rows.sessions import RefreshToken, Session
from authproxy.rows.signing import SigningKey

__all__ = [
    "ApiKey",
    "Consumer",
    "FailedSignIn",
    "IdentityChange",
    "LimitedCaller",
    "RefreshToken",
    "SecurityEvent",
    "Session",
    "SigningKey",
]
