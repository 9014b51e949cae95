"""Screenshot-to-Code's services, as stand-ins that keep everything in memory and say who asked.

python -m examples.screenshot-to-code.upstreams code-generator --port 8002
"""

from email.parser import BytesParser
from itertools import count
from typing import Any

from examples.upstream import Answer, Request, main

numbers = count(1)
made: dict[str, dict[str, Any]] = {}
STACKS = ["html_tailwind", "html_css", "react_tailwind", "vue_tailwind", "bootstrap"]


def code_generator(request: Request) -> Answer:
    """Code from screenshots."""
    match request.method, request.path.removeprefix("/api/v1/code/").split("/"):
        case "POST", ["generate"] if {"image", "code_stack"} <= request.fields.keys():
            return started(
                "code",
                owner_of(request),
                stack=request.fields["code_stack"],
                bytes=len(str(request.fields["image"])),
            )
        case "POST", ["upload-and-generate"]:
            return started("code", owner_of(request), files=files_of(request))
        case "POST", ["refine", number] if number in made and "instructions" in request.fields:
            made[number] |= {"refined": request.fields["instructions"]}
            return 200, made[number]
        case "GET", ["generation", number] if number in made:
            return 200, made[number]
        case "GET", ["variants"]:
            return 200, {"variants": STACKS}
    return 404, {"error": "there is no such generation"}


def image_generator(request: Request) -> Answer:
    """Images from prompts."""
    owner = owner_of(request)
    match request.method, request.path.removeprefix("/api/v1/images/").split("/"):
        case "POST", ["generate"]:
            fields = request.fields
            return started("image", owner, prompt=fields.get("prompt"), images=fields.get("num_images", 1))
        case "POST", ["batch-generate"]:
            prompts = [each.get("prompt") for each in request.fields.get("prompts", [])]
            return started("image", owner, prompts=prompts, images=len(prompts))
        case "GET", ["generation", number] if number in made:
            return 200, made[number]
        case "DELETE", ["generation", number] if number in made:
            del made[number]
            return 204, {}
        case "GET", ["providers"]:
            return 200, {"providers": ["dalle3", "flux"]}
        case "GET", ["usage", "stats"]:
            own = [each for each in made.values() if each.get("owner") == owner and "images" in each]
            return 200, {"owner": owner, "images": sum(each["images"] for each in own)}
    return 404, {"error": "there is no such generation"}


def owner_of(request: Request) -> str:
    return str(request.caller["name"]) if request.caller else ""


def started(kind: str, owner: str = "", **more: Any) -> Answer:
    number = f"gen_{next(numbers)}"
    made[number] = {"generation_id": number, "kind": kind, "status": "processing", "owner": owner, **more}
    return 202, made[number]


def files_of(request: Request) -> list[dict[str, Any]]:
    """Name and length of each file of a form."""
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode()
    parts = BytesParser().parsebytes(head + request.raw).walk()
    files = [(part.get_filename(), part.get_payload(decode=True) or b"") for part in parts]
    return [{"name": name, "bytes": len(data)} for name, data in files if name]


if __name__ == "__main__":
    main({"code-generator": code_generator, "image-generator": image_generator})
