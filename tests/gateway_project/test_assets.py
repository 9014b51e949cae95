"""Admin's styles and scripts."""

from django.conf import settings
from django.test import AsyncClient, Client

STYLES = f"{settings.STATIC_URL}unfold/css/styles.css"


def test_asset_comes_from_the_package(client: Client) -> None:
    """A fresh machine shows admin with its styles at once: nothing is collected first."""
    response = client.get(STYLES)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == 'text/css; charset="utf-8"'
    assert len(response.content) == int(response.headers["Content-Length"]) > 10_000


async def test_asset_is_answered_whole_under_asgi(async_client: AsyncClient) -> None:
    """No synchronous iterator is handed to the server, which would draw a warning (an error in tests)."""
    response = await async_client.get(STYLES)

    assert not response.streaming
    assert len(response.content) > 10_000


def test_browser_that_has_the_asset_gets_304(client: Client) -> None:
    """An entity tag saves the transfer, and an empty answer claims no content type."""
    etag = client.get(STYLES).headers["ETag"]
    response = client.get(STYLES, headers={"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")
    assert "Content-Type" not in response.headers


def test_head_has_the_length_and_no_body(client: Client) -> None:
    """HEAD tells what GET would send."""
    response = client.head(STYLES)

    assert int(response.headers["Content-Length"]) > 10_000
    assert response.content == b""


def test_part_of_an_asset_can_be_asked_for(client: Client) -> None:
    """A range is answered with just those bytes."""
    response = client.get(STYLES, headers={"Range": "bytes=0-9"})

    assert response.status_code == 206
    assert response.content == client.get(STYLES).content[:10]


def test_other_paths_go_on_to_django(client: Client) -> None:
    """What is no asset is Django's: admin asks for a login, the rest is missing."""
    assert client.get(f"{settings.STATIC_URL}none.css").headers["Location"].startswith("/admin/login/")
    assert client.get("/none.css").status_code == 404
