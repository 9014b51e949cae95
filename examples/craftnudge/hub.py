"""A message hub of a few lines, for who has no RabbitMQ: takes events by POST, and hands them to the analytics service.

python -m examples.craftnudge.hub --port 8005
"""

import os

import httpx
from fastapi import FastAPI, Request, Response

from examples.serving import asgi

ANALYTICS = os.environ.get("ANALYTICS_SERVICE_URL", "http://127.0.0.1:8002")
app = FastAPI(title="Hub", version="1.0.0")


@app.post("/")
async def event(request: Request) -> Response:
    """What is not taken is 503, so that the gateway keeps it and sends it again."""
    async with httpx.AsyncClient(base_url=ANALYTICS, timeout=4) as analytics:
        try:
            answer = await analytics.post("/analyses", content=await request.body(), headers=JSON)
        except httpx.HTTPError:
            return Response(status_code=503)
    return Response(status_code=204 if answer.is_success else 503)


JSON = {"Content-Type": "application/json"}

if __name__ == "__main__":
    asgi(app)
