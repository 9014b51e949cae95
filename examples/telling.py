"""How a program tells the gateway what has happened, for whoever listens: `POST {API_PREFIX}/events` with its API key.

GATEWAY_URL, GATEWAY_KEY and API_PREFIX say where and as whom.
"""

import os
from typing import Any

import httpx


def prefix() -> str:
    """Where versioned paths begin."""
    return os.environ.get("API_PREFIX") or os.environ.get("API_V1_PREFIX") or "/api/v1"


class Gateway:
    """The gateway as a program with an API key sees it. Connections are kept."""

    def __init__(self) -> None:
        key = os.environ.get("GATEWAY_KEY", "")
        base_url = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8000")
        self.http = httpx.AsyncClient(base_url=base_url, headers={"X-API-Key": key}, timeout=10)

    async def tell(self, kind: str, data: dict[str, Any], *, topic: str = "", user: str = "") -> bool:
        """One event to the subscribers of a topic, or to a user; False if it was not taken."""
        event = {"type": kind, "data": data, **({"topic": topic} if topic else {"user": user})}
        try:
            answer = await self.http.post(f"{prefix()}/events", json=event)
        except httpx.HTTPError as error:
            print(f"the gateway was not told: {type(error).__name__}", flush=True)
            return False
        if answer.is_error:
            print(f"the gateway was not told: {answer.status_code} {answer.text}", flush=True)
        return answer.is_success
