"""The worker of both services: takes what waits, works on it, and tells the gateway how far it is.

python -m examples.screenshot-to-code.worker
Whoever has subscribed to a generation hears `progress`, then `completed` or `failed`. A step takes WORK_STEP_SECONDS.
"""

import asyncio
import os
from typing import Any
from urllib.parse import quote

import httpx

from examples.telling import Gateway

STEP_S = float(os.environ.get("WORK_STEP_SECONDS", "0.3"))
PAUSE_S = 0.5
"""Between questions to a service that is away."""
STEPS = {
    "code": ("looking at the screenshot", "choosing components", "writing code", "done"),
    "image": ("reading the prompt", "sketching", "painting", "done"),
}


def made_of(generation: dict[str, Any]) -> dict[str, Any]:
    """What comes out in the end."""
    wanted = generation["wanted"]
    if generation["kind"] == "image":
        return {"images": [picture(wanted["prompt"]) for _ in range(wanted["num_images"])]}
    said = wanted.get("instructions", "A clean page")
    made: dict[str, Any] = {"code": f"<main><!-- {wanted['code_stack']} -->{said}</main>"}
    if wanted["should_generate_images"]:
        made["images"] = [picture(said)]
    return made


def picture(text: str) -> str:
    """An SVG as a data: URL."""
    drawn = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        '<circle cx="32" cy="32" r="24" fill="#2251a4"/></svg>'
    )
    return f"data:image/svg+xml,{quote(drawn)}#{quote(text)}"


async def work_on(generation: dict[str, Any], service: httpx.AsyncClient, gateway: Gateway) -> None:
    """One generation, step by step."""
    number = generation["generation_id"]
    steps = STEPS[generation["kind"]]
    for done, step in enumerate(steps, 1):
        await asyncio.sleep(STEP_S)
        progress = {"step": step, "percent": 100 * done // len(steps)}
        await service.patch(f"/jobs/{number}", json={"percent": progress["percent"]})
        await gateway.tell("progress", progress, topic=f"generation.{number}")
    made = made_of(generation)
    await service.patch(f"/jobs/{number}", json={"status": "completed", **made})
    await gateway.tell("completed", made, topic=f"generation.{number}")


async def serve(url: str, gateway: Gateway) -> None:
    """What one service has to do, several at a time."""
    running: set[asyncio.Task[None]] = set()
    async with httpx.AsyncClient(base_url=url, timeout=30) as service:
        while True:
            generation = await next_of(service)
            if generation is None:
                continue
            task = asyncio.create_task(finish(generation, service, gateway))
            running.add(task)
            task.add_done_callback(running.discard)


async def next_of(service: httpx.AsyncClient) -> dict[str, Any] | None:
    """What waits there; a service that is away, or knows no worker, is asked again after a while."""
    try:
        answer = await service.post("/jobs/next")
    except httpx.HTTPError:
        await asyncio.sleep(PAUSE_S)
        return None
    if answer.status_code == 200:
        generation: dict[str, Any] = answer.json()
        return generation
    if answer.is_error:
        await asyncio.sleep(PAUSE_S)
    return None


async def finish(generation: dict[str, Any], service: httpx.AsyncClient, gateway: Gateway) -> None:
    """Somebody hears of it even if it went wrong."""
    try:
        await work_on(generation, service, gateway)
    except httpx.HTTPError as error:
        topic = f"generation.{generation['generation_id']}"
        await gateway.tell("failed", {"reason": type(error).__name__}, topic=topic)


async def main() -> None:
    gateway = Gateway()
    urls = [os.environ[f"{name}_GENERATOR_SERVICE_URL"].split(",")[0] for name in ("CODE", "IMAGE")]
    await asyncio.gather(*(serve(url, gateway) for url in urls))


if __name__ == "__main__":
    asyncio.run(main())
