"""D: The same as one async view of a plain Django project: no middleware, no database. Answers are streamed; Django has
read the request's body before the view begins."""

import os
from collections.abc import AsyncIterator

import django
import httpx
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.peers.forwarding import end_to_end

_UPSTREAM = os.environ["UPSTREAM"]
_clients: list[httpx.AsyncClient] = []


def _client() -> httpx.AsyncClient:
    if not _clients:
        limits = httpx.Limits(max_connections=1024, max_keepalive_connections=1024, keepalive_expiry=600)
        _clients.append(httpx.AsyncClient(timeout=30, limits=limits, trust_env=False))
    return _clients[0]


async def _relay(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


@csrf_exempt
async def proxy(request: HttpRequest) -> StreamingHttpResponse:
    client = _client()
    forwarded = client.build_request(
        str(request.method),
        f"{_UPSTREAM}{request.path}",
        params=request.META["QUERY_STRING"] or None,
        headers=end_to_end(request.headers.items()),
        content=request.body or None,
    )
    answer = await client.send(forwarded, stream=True)
    return StreamingHttpResponse(
        _relay(answer), status=answer.status_code, headers=dict(end_to_end(answer.headers.items()))
    )


settings.configure(
    DEBUG=False,
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
)
django.setup()
urlpatterns = [re_path("", proxy)]
application = get_asgi_application()
