"""Services that say who they are, and what they were asked.

python -m examples.edge.upstreams shop --port 8021
"""

from functools import partial

from examples.upstream import Answer, Request, Service, main

seen: list[str] = []


def telling(name: str, request: Request) -> Answer:
    if request.path == "/seen":
        return 200, {"service": name, "seen": seen}
    seen.append(f"{request.method} {request.path} {request.body}")
    return 200, {"service": name, "method": request.method, "path": request.path}


def services() -> dict[str, Service]:
    return {name: partial(telling, name) for name in ("shop", "shop-next")}


if __name__ == "__main__":
    main(services())
