"""D: Programs that sign in with a key: client_credentials (RFC 6749 section 4.4)."""

from django.utils import timezone

from authproxy import tickets
from authproxy.apikeys import pepper
from authproxy.granting import Standing, standing_of_consumer
from authproxy.models import ApiKey
from authproxy.oauth import Client


def service_of(client: Client) -> tuple[ApiKey, Standing] | None:
    """The service consumer of that name and its key; None for anything else, whatever is wrong with it."""
    presented = client.secret.encode("utf-8", "replace")
    prefix = tickets.prefix_of(presented, tickets.API_KEY, pepper=pepper())
    if prefix is None:
        return None
    key = _live(prefix)
    if key is None or not tickets.is_right(presented, bytes(key.digest), pepper=pepper()):
        return None
    found = standing_of_consumer(key.consumer)
    if found is None or not found.is_enabled or found.kind != "service" or found.name != client.id:
        return None
    # Again: the standing's number vouches for what is read after it, or a key revoked just now would go unnoticed.
    key = _live(prefix)
    return None if key is None else (key, found)


def _live(prefix: str) -> ApiKey | None:
    row = ApiKey.objects.select_related("consumer").filter(prefix=prefix, revoked_at=None).first()
    is_over = row is not None and row.expires_at is not None and row.expires_at <= timezone.now()
    return None if is_over else row


def granted(key: ApiKey, standing: Standing) -> frozenset[str]:
    """The scopes that a token may have: the consumer's, as far as the key goes."""
    return standing.scopes if key.scopes is None else standing.scopes & frozenset(key.scopes)
