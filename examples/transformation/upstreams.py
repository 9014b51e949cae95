"""A shop that says what reached it, in a long text if it is asked for one.

python -m examples.transformation.upstreams shop --port 8041
"""

from functools import partial

from examples.upstream import Answer, Request, Service, main

_FIELDS = ("X-Tenant", "X-Plan", "X-Asked")


def shop(name: str, request: Request) -> Answer:
    if request.path.startswith("/missing"):
        return 404, {"detail": "There is no such thing."}
    if request.path.startswith("/products") and request.method == "GET":
        items = [{"name": "Lamp", "public": True}, {"name": "Prototype", "public": False}]
        return 200, {"id": 7, "supplier": "secret", "items": items}
    if request.path.startswith("/texts"):
        return 200, {"service": name, "text": "All work and no play makes Jack a dull boy. " * 100}
    told = {field: request.headers[field] for field in _FIELDS if field in request.headers}
    return 200, {"service": name, "path": request.path, "told": told, "body": request.body}


def services() -> dict[str, Service]:
    return {"shop": partial(shop, "shop")}


if __name__ == "__main__":
    main(services())
