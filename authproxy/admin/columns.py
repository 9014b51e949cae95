"""D: Columns and links that several pages of access share."""

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.decorators import display

from authproxy.admin.states import State, key_state, session_state
from authproxy.models import ApiKey, Consumer, Session

COLOURS: Final = {
    State.LIVE: "success",
    State.EXPIRED: "warning",
    State.REVOKED: "danger",
    State.ENDED: "info",
}


def link(page: str, text: object, *arguments: Any, **query: str) -> SafeString:
    """A link to a page of admin: `link("auth_user_change", "anna", 1)`."""
    there = reverse(f"admin:{page}", args=arguments)
    where = f"{there}?{urlencode(query)}" if query else there
    return format_html('<a class="text-link" href="{}">{}</a>', where, text)


def to_account(user: User) -> SafeString:
    """The account's page."""
    return link("auth_user_change", user, user.pk)


def to_consumer(consumer: Consumer) -> SafeString:
    """The consumer's page."""
    return link("authproxy_consumer_change", consumer, consumer.pk)


def moment_text(moment: datetime) -> str:
    """A time as lists show it; pages without inputs would show it as Python does."""
    return str(localize(timezone.localtime(moment)))


class KeyColumns:
    """What a list says about an API key."""

    @display(description="state", label=COLOURS)
    def shown_state(self, key: ApiKey) -> State:
        return key_state(revoked_at=key.revoked_at, expires_at=key.expires_at, now=timezone.now())

    @display(description="name")
    def shown_name(self, key: ApiKey) -> str:
        return key.name

    @display(description="expires")
    def shown_expiry(self, key: ApiKey) -> str:
        return moment_text(key.expires_at) if key.expires_at is not None else "never"

    @display(description="begins with")
    def shown_prefix(self, key: ApiKey) -> SafeString:
        return format_html("<code>{}…</code>", key.prefix)

    @display(description="scopes")
    def shown_scopes(self, key: ApiKey) -> str:
        return "all of its consumer's" if key.scopes is None else " ".join(key.scopes) or "none"


class SessionColumns:
    """What a list says about a session."""

    @display(description="state", label=COLOURS)
    def shown_state(self, session: Session) -> State:
        return session_state(ended_at=session.ended_at, expires_at=session.expires_at, now=timezone.now())
