"""A shop that says what reached it.

python -m examples.validation.upstreams shop --port 8021
"""

from examples.upstream import Answer, Request, Service, main


def shop(request: Request) -> Answer:
    """Whatever comes was let through."""
    return 200, {
        "method": request.method,
        "path": request.path,
        "content_type": request.headers.get("Content-Type", "").partition(";")[0],
        "got": request.fields or request.query,
    }


def services() -> dict[str, Service]:
    return {"shop": shop}


if __name__ == "__main__":
    main(services())
