"""The character, campaign and image services: each keeps records in memory below its own prefix.

python -m examples.dnd-character-creator.records characters --port 8071
"""

import sys
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Request

from examples.serving import asgi, said


def service(name: str) -> FastAPI:
    """GET lists, POST adds; below, by number, GET, PUT, PATCH and DELETE."""
    app = FastAPI(title=f"D&D {name}", version="2.0.0")
    below = APIRouter(prefix=f"/api/v2/{name}")
    kept: dict[int, Any] = {}
    numbers = count(1)

    def asking(request: Request) -> dict[str, Any]:
        caller = said(name, request.method, request.url.path, request.headers)
        return {"service": name, "caller": caller, "client": request.headers.get("x-forwarded-for")}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "healthy"}

    @below.get("")
    def listed(head: Annotated[dict[str, Any], Depends(asking)]) -> dict[str, Any]:
        return {**head, name: [*kept.values()]}

    @below.post("", status_code=201)
    def add(
        head: Annotated[dict[str, Any], Depends(asking)], record: Annotated[dict[str, Any], Body()]
    ) -> dict[str, Any]:
        number = next(numbers)
        kept[number] = {**record, "id": number}
        return {**head, "record": kept[number]}

    def known(number: int) -> int:
        if number not in kept:
            raise HTTPException(404, f"there is no {number} in {name}")
        return number

    @below.get("/{number}")
    def one(
        number: Annotated[int, Depends(known)], head: Annotated[dict[str, Any], Depends(asking)]
    ) -> dict[str, Any]:
        return {**head, "record": kept[number]}

    @below.put("/{number}")
    @below.patch("/{number}")
    def change(
        request: Request,
        number: Annotated[int, Depends(known)],
        head: Annotated[dict[str, Any], Depends(asking)],
        record: Annotated[dict[str, Any], Body()],
    ) -> dict[str, Any]:
        before = kept[number] if request.method == "PATCH" else {}
        kept[number] = {**before, **record, "id": number}
        return {**head, "record": kept[number]}

    @below.delete("/{number}", status_code=204)
    def forget(number: int) -> None:
        kept.pop(number, None)

    app.include_router(below)
    return app


if __name__ == "__main__":
    asgi(service(sys.argv.pop(1)))
