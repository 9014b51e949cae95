"""CraftNudge's notification service, as a stand-in that keeps notifications in memory.

It only keeps them: whoever is signed in hears of new ones from the gateway itself (POST /api/v1/events).

python -m examples.craftnudge.upstreams notifications --port 8004
"""

from typing import Any

from examples.upstream import Answer, Request, main

kept: dict[str, list[Any]] = {}


def notifications(request: Request) -> Answer:
    """GET lists the caller's, POST adds one."""
    owner = str((request.caller or {}).get("consumer", ""))
    mine = kept.setdefault(owner, [])
    if request.method == "POST":
        if "text" not in request.fields:
            return 400, {"error": "send an object with a text"}
        mine.append(request.fields)
        return 201, {"service": "notifications", "notification": request.fields}
    return 200, {"service": "notifications", "notifications": mine}


SERVICES = {"notifications": notifications}

if __name__ == "__main__":
    main(SERVICES)
