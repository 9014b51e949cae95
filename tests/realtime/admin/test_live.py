"""Who may see the live page, and what its token is."""

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.endpoints import PASSWORD, let_view

pytestmark = [pytest.mark.django_db, pytest.mark.store]
PAGE, TOKEN = "/admin/realtime/live/", "/admin/realtime/live/token/"


def staff(name: str, client: Client) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, is_staff=True)
    client.force_login(user)
    return user


def test_viewers_get_a_short_token(client: Client) -> None:
    """By POST only, without scopes, and not to be kept."""
    user = staff("vera", client)
    let_view("vera")
    assert client.get(PAGE).status_code == 200
    assert client.get(TOKEN).status_code == 405
    answer = client.post(TOKEN)
    claims = jwt.decode(answer.json()["token"], options={"verify_signature": False})
    assert (claims["sub"], claims["staff"], claims["scope"]) == (str(user.pk), True, "")
    assert claims["exp"] - claims["iat"] <= answer.json()["expires_in"]
    assert "no-store" in answer["Cache-Control"]


def test_others_do_not(client: Client) -> None:
    staff("bert", client)
    assert [client.get(PAGE).status_code, client.post(TOKEN).status_code] == [403, 403]
    client.logout()
    assert [client.get(PAGE).status_code, client.post(TOKEN).status_code] == [302, 302]
