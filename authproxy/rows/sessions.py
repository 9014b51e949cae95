"""D: Signed-in sessions and their refresh tokens: a session is one family of tokens."""

import uuid

from django.conf import settings
from django.db import models


class Session(models.Model):
    """One sign-in of an account, by cookie, by tokens, or by both. Ended sessions are kept for a while, for people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="gateway_sessions"
    )
    digest = models.BinaryField(max_length=32, unique=True, editable=False)  # of the session cookie
    scopes = models.TextField(null=True, editable=False)  # space-separated, where the client asked for fewer
    address = models.CharField(max_length=64, blank=True, editable=False)
    user_agent = models.CharField(max_length=256, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(editable=False, db_index=True)
    ended_at = models.DateTimeField(null=True, editable=False)
    end_reason = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d %H:%M}"


class RefreshToken(models.Model):
    """A refresh token, by the hash of its `jti`. One that is used twice ends its session."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    issued_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(editable=False, db_index=True)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return f"refresh token of {self.session}"
