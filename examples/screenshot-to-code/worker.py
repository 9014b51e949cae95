"""The worker that makes the code: a process of its own, which tells how far it is through the gateway.

python -m examples.screenshot-to-code.worker gen_1 --gateway http://127.0.0.1:8000 --key KEY
"""

import argparse
import json
import time
import urllib.request
from typing import Any

STEPS = ("looking at the screenshot", "choosing components", "writing code", "done")


def tell(gateway: str, key: str, generation: str, kind: str, data: dict[str, Any]) -> None:
    """One event to whoever follows the generation."""
    event = {"topic": f"generation.{generation}", "type": kind, "data": data}
    headers = {"Content-Type": "application/json", "X-API-Key": key}
    body = json.dumps(event).encode()
    request = urllib.request.Request(f"{gateway}/api/v1/events", body, headers)
    urllib.request.urlopen(request, timeout=10).close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("generation")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000")
    parser.add_argument("--key", required=True)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds of work for each step")
    given = parser.parse_args()
    for number, step in enumerate(STEPS, 1):
        time.sleep(given.pause)
        data = {"step": step, "percent": 100 * number // len(STEPS)}
        tell(given.gateway, given.key, given.generation, "progress", data)
    tell(given.gateway, given.key, given.generation, "completed", {"code": "<main>A clean page</main>"})


if __name__ == "__main__":
    main()
