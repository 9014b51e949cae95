"""I: One webhook sent: signed, within seconds in all, no redirect followed, nothing of the answer kept but its status.

Each call has an event loop and a connection of its own: it runs in a thread, and whatever the other side does, the
thread is free again in time.
"""

import asyncio
from typing import Final

import httpx

from observability.alerts import signing
from observability.alerts.retrying import Result

TIMEOUT_S: Final = 10.0
_FIELDS: Final = {"content-type": "application/json", "user-agent": "torana-alerts"}


def post(url: str, secret: str, *, id: str, at: int, body: bytes, timeout_s: float = TIMEOUT_S) -> Result:  # noqa: A002
    """Any 2xx is a confirmation. Never raises for what the other side does."""
    return asyncio.run(
        _post(url, {**_FIELDS, **signing.fields(secret, id=id, at=at, body=body)}, body, timeout_s)
    )


async def _post(url: str, fields: dict[str, str], body: bytes, timeout_s: float) -> Result:
    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout_s) as client,
            client.stream("POST", url, content=body, headers=fields) as answer,
        ):
            return _result(answer)
    except TimeoutError:
        return Result(False, f"no answer within {timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Result(False, f"{type(error).__name__}: {error}"[:300])


def _result(answer: httpx.Response) -> Result:
    status = answer.status_code
    if answer.is_success:
        return Result(True, status=status)
    if answer.is_redirect:
        return Result(False, f"status {status}: redirects are not followed", status)
    wish = answer.headers.get("retry-after", "")
    return Result(False, f"status {status}", status, float(wish) if wish.isdecimal() else 0.0)
