"""D: A client for the gateway's own endpoints, inside the test's process and database.

It stands where the pipeline does: it finds out who calls, by the real tokens, keys and cookies, and leaves that in the
scope. What was revoked counts from the next request on.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client
from django.test.client import ClientHandler

from authproxy import signingkeys, tickets
from authproxy.apikeys import pepper
from authproxy.changes import Change, Changes
from authproxy.credentials import presented
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_CLIENT, SCOPE_IDENTITY
from authproxy.granting import identity_of_key, identity_of_session
from authproxy.identity import Identity
from authproxy.keysets import KeySets
from authproxy.liveroles import live_roles
from authproxy.models import ApiKey, IdentityChange, Session
from authproxy.security import SecurityEvent
from authproxy.verifier import TokenVerifier
from resilience.clock import monotonic, wall_clock

PASSWORD = "correct-horse-battery"
HOST = "testserver"
ORIGIN = f"http://{HOST}"


class _Handler(ClientHandler):
    address = "192.0.2.1"

    def get_response(self, request: HttpRequest) -> Any:
        fields = [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers.items()]
        identity, failure = _identify(fields)
        request.scope = {  # type: ignore[attr-defined]
            "headers": fields,
            SCOPE_CLIENT: self.address,
            SCOPE_IDENTITY: identity,
            SCOPE_AUTH_FAILURE: failure,
        }
        return super().get_response(request)


class Endpoints(Client):
    """Posts and gets JSON. Cookies are kept, and sent with an Origin of the gateway's own."""

    def __init__(self, *, origin: str | None = ORIGIN, address: str = "192.0.2.1") -> None:
        super().__init__(
            headers={"host": HOST, **({"origin": origin} if origin else {})}, raise_request_exception=True
        )
        self.handler = _Handler(enforce_csrf_checks=True)
        self.handler.address = address

    def send(self, path: str, content: Any = None, *, token: str = "", key: str = "", **more: Any) -> Any:
        """POST of JSON."""
        headers = _credential(token, key) | more.pop("headers", {})
        return self.post(path, content or {}, content_type="application/json", headers=headers, **more)

    def ask(self, path: str, *, token: str = "", key: str = "", method: str = "get") -> Any:
        """GET, or DELETE."""
        return getattr(self, method)(path, headers=_credential(token, key))

    def signed_in(self, name: str, password: str = PASSWORD) -> dict[str, Any]:
        """What the login answers."""
        response = self.send("/api/auth/login", {"username": name, "password": password})
        assert response.status_code == 200, response.content
        found: dict[str, Any] = response.json()
        return found


def account(name: str, **fields: Any) -> User:
    """An account whose password is PASSWORD."""
    return User.objects.create_user(name, f"{name}@example.com", PASSWORD, **fields)


def let_view(name: str) -> None:
    """Gives an account what viewers have."""
    wanted = Permission.objects.get(content_type__app_label="routing", codename="view_service")
    User.objects.get(username=name).user_permissions.add(wanted)


def kinds(heard: list[SecurityEvent]) -> list[str]:
    """What happened, in its order."""
    return [event.kind for event in heard]


def refusal(response: Any) -> tuple[int, str, Any]:
    """Status, code and details."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["details"]


def _credential(token: str, key: str) -> dict[str, str]:
    found = {"authorization": f"Bearer {token}"} if token else {}
    return found | ({"x-api-key": key} if key else {})


def _identify(fields: list[tuple[bytes, bytes]]) -> tuple[Identity | None, str]:
    credentials = [field for field in fields if field[0] in (b"authorization", b"x-api-key", b"cookie")]
    if not credentials:
        return None, "missing"
    changes = Changes()
    changes.note(
        Change(row.pk, row.subject, row.created_at.timestamp()) for row in IdentityChange.objects.all()
    )
    failure = "missing"
    for each in presented(credentials):
        found = _holder(each.method, each.value)
        if isinstance(found, Identity) and not changes.is_stale(found) and found.expires_at > wall_clock():
            return found, ""
        failure = "expired" if getattr(found, "reason", "") == "expired" else "invalid"
    return None, failure


def _holder(method: str, credential: bytes) -> Any:
    if method == "jwt":
        key_sets = KeySets(None, clock=monotonic)  # type: ignore[arg-type] # no provider has keys here
        verifier = TokenVerifier(
            issuer=settings.CONFIG.service_name,
            keyring=signingkeys.shared().ring,
            key_sets=key_sets,
            wall_clock=wall_clock,
        )
        return verifier.verify(credential, ())
    digest = tickets.digest(credential, pepper=pepper())
    if method == "api_key":
        key = ApiKey.objects.filter(digest=digest).first()
        return identity_of_key(key, granted=live_roles(), seq=10**9) if key else None
    session = Session.objects.filter(digest=digest).first()
    return identity_of_session(session, granted=live_roles(), seq=10**9) if session else None
