"""A shop that counts how often it is asked, and says nothing of caches.

python -m examples.caching.upstreams shop --port 8031
"""

from collections import Counter
from functools import partial

from examples.upstream import Answer, Request, Service, main

asked: Counter[str] = Counter()


def counting(name: str, request: Request) -> Answer:
    asked[request.path] += 1
    return 200, {"service": name, "path": request.path, "asked": asked[request.path]}


def services() -> dict[str, Service]:
    return {name: partial(counting, name) for name in ("shop",)}


if __name__ == "__main__":
    main(services())
