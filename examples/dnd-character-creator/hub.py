"""A message hub: takes events by POST, and lists them.

python -m examples.dnd-character-creator.hub --port 8074
"""

from typing import Annotated, Any

from fastapi import Body, FastAPI

from examples.serving import asgi

app = FastAPI(title="D&D message hub", version="2.0.0")
events: list[dict[str, Any]] = []


@app.post("/", status_code=202)
def take(event: Annotated[dict[str, Any], Body()]) -> None:
    events.append(event)


@app.get("/")
def heard() -> list[dict[str, Any]]:
    return events


if __name__ == "__main__":
    asgi(app)
