"""The four services of ISaaS, as stand-ins that keep records in memory and say who asked.

python -m examples.isaas.upstreams context --port 8001
"""

import sys
from collections.abc import Mapping
from typing import Any

from examples.isaas import realtime
from examples.upstream import Answer, Request, Service, main


def records(name: str) -> Service:
    """GET lists the caller's records, POST adds one, …/admin counts everybody's."""
    kept: dict[str, list[Any]] = {}

    def answer(request: Request) -> Answer:
        head = {"service": name, "path": request.path, "caller": request.caller}
        if request.path.endswith("/admin"):
            return 200, {**head, "records": {owner: len(items) for owner, items in kept.items()}}
        mine = kept.setdefault(owner_of(request.caller), [])
        if request.method != "POST":
            return 200, {**head, "records": mine}
        if request.body is None:
            return 400, {**head, "error": "send JSON"}
        mine.append(request.body)
        return 201, {**head, "record": request.body}

    return answer


def owner_of(caller: Mapping[str, Any] | None) -> str:
    return str((caller or {}).get("consumer") or (caller or {}).get("sub") or "nobody")


SERVICES = {name: records(name) for name in ("context", "intent", "prediction", "realtime")}

if __name__ == "__main__":
    if sys.argv[1:2] == [realtime.NAME]:
        realtime.serve(SERVICES[realtime.NAME])
    else:
        main(SERVICES)
