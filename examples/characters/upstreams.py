"""A list of characters.

python -m examples.characters.upstreams characters --port 8061
"""

from examples.upstream import Answer, Request, Service, main


def characters(_request: Request) -> Answer:
    """Always the same two."""
    return 200, {"characters": [{"name": "Drizzt"}, {"name": "Bruenor"}]}


def services() -> dict[str, Service]:
    return {"characters": characters}


if __name__ == "__main__":
    main(services())
