"""Services with moods, to see what the gateway makes of them. Each answers with what it was told of the request.

python -m examples.resilience.upstreams shop --port 8011

POST /…/mood?status=503&times=2 makes the next two answers 503; ?delay=2&times=1 makes the next one two seconds late.
"""

import time
from functools import partial
from threading import Lock

from examples.upstream import Answer, Request, Service, main

moods: list[tuple[int, float]] = []
"""Statuses and delays of the next answers."""
lock = Lock()


def moody(name: str, request: Request) -> Answer:
    if request.path.endswith("/mood"):
        query = request.query
        mood = int(query.get("status", 200)), float(query.get("delay", 0))
        with lock:
            moods[:] = [mood] * int(query.get("times", 1))
        return 200, {"service": name, "will": f"answer {mood[0]} after {mood[1]} s"}
    with lock:
        status, delay_s = moods.pop(0) if moods else (200, 0.0)
    time.sleep(delay_s)
    return status, {
        "service": name,
        "attempt": 1 + int(request.headers.get("X-Retry-Count", 0)),
        "time_left_ms": int(request.headers.get("X-Request-Timeout-Ms", 0)),
        "status": status,
    }


def services() -> dict[str, Service]:
    return {name: partial(moody, name) for name in ("shop", "mail", "reports")}


if __name__ == "__main__":
    main(services())
