"""The five endpoints of code generation, and what does not get to the service."""

import base64
from typing import Any

import pytest

from tests.support.systems import System, until

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
Caller = dict[str, str]


def asked(system: System, caller: Caller, **fields: Any) -> Any:
    """POST /api/v1/code/generate."""
    body = {"image": DATA_URL, "code_stack": "react_tailwind", **fields}
    return system.ask("POST", "/api/v1/code/generate", caller, json=body)


def done(system: System, caller: Caller, number: str) -> dict[str, Any]:
    """The generation, once it is completed."""
    path = f"/api/v1/code/generation/{number}"
    until(lambda: system.ask("GET", path, caller).json()["status"] == "completed", every_s=0.2)
    return dict(system.ask("GET", path, caller).json())


def test_generate_follow_and_refine(system: System, caller: Caller) -> None:
    """POST generate → GET generation/{id} → POST refine/{id}: the worker makes code twice."""
    begun = asked(system, caller, generation_type="create", should_generate_images=True)
    number = begun.json()["generation_id"]
    made = done(system, caller, number)
    refined = system.ask(
        "POST", f"/api/v1/code/refine/{number}", caller, json={"instructions": "with a red button"}
    )
    again = done(system, caller, number)
    assert (begun.status_code, refined.status_code) == (202, 202)
    assert "react_tailwind" in made["code"]
    assert made["images"]
    assert "with a red button" in again["code"]


def test_upload(system: System, caller: Caller) -> None:
    """POST upload-and-generate with a picture."""
    begun = system.ask(
        "POST",
        "/api/v1/code/upload-and-generate",
        caller,
        files={"file": ("shot.png", PNG, "image/png")},
        data={"code_stack": "vue_tailwind"},
    )
    told = begun.json()
    assert begun.status_code == 202
    assert told["file"] == {"name": "shot.png", "content_type": "image/png", "bytes": len(PNG)}
    assert "vue_tailwind" in done(system, caller, told["generation_id"])["code"]


def test_only_its_owner_sees_a_generation(system: System, caller: Caller) -> None:
    """Others hear 404, in the shape of all errors; whoever is not signed in 401."""
    number = asked(system, caller).json()["generation_id"]
    other = system.ask("GET", f"/api/v1/code/generation/{number}", system.newcomer("curious"))
    nobody = system.ask("GET", f"/api/v1/code/generation/{number}")
    assert (other.status_code, other.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert other.json()["request_id"] == other.headers["X-Request-ID"]
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "AUTH_ERROR")


def test_variants_come_from_the_cache(system: System) -> None:
    """GET variants is public, kept, and compressed for those who take that."""
    first, second = (system.ask("GET", "/api/v1/code/variants") for _ in range(2))
    assert len(second.json()["variants"]) == 5
    assert first.json() == second.json()
    assert second.headers["X-Cache"] == "HIT"


def test_gzip(system: System, caller: Caller) -> None:
    """For clients that ask for it, where it is worth it."""
    drawn = {"prompts": [{"prompt": "a cat", "num_images": 4}] * 20}
    packed, plain = (
        system.ask(
            "POST", "/api/v1/images/batch-generate", caller, json=drawn, headers={"Accept-Encoding": coding}
        )
        for coding in ("gzip", "identity")
    )
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.json()["generations"]) == len(plain.json()["generations"]) == 20


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"code_stack": "cobol"}, 400, "VALIDATION_ERROR"),
        ({"image": "http://elsewhere.example/a.png"}, 400, "VALIDATION_ERROR"),
        ({"image": "data:image/png;base64,AAAA"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"image": "data:image/png;base64,!!!!"}, 400, "VALIDATION_ERROR"),
        ({"image": "data:image/png;base64," + "A" * 8_000_000}, 413, "PAYLOAD_TOO_LARGE"),
        ({"should_generate_images": "perhaps"}, 400, "VALIDATION_ERROR"),
    ],
)
def test_bodies_that_do_not_pass(
    system: System, caller: Caller, fields: dict[str, Any], status: int, code: str
) -> None:
    """Types of fields, and what a data: URL is by its bytes and its size."""
    answer = asked(system, caller, **fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("content", "type_", "status"),
    [
        (b"#!/bin/sh\n", "image/png", 415),
        (PNG, "application/pdf", 415),
        (PNG + bytes(6_000_000), "image/png", 413),
    ],
)
def test_files_that_do_not_pass(
    system: System, caller: Caller, content: bytes, type_: str, status: int
) -> None:
    """What a file is, what it says that it is, and how large it is."""
    answer = system.ask(
        "POST",
        "/api/v1/code/upload-and-generate",
        caller,
        files={"file": ("shot.png", content, type_)},
        headers={"Connection": "close"},
    )
    assert answer.status_code == status


def test_body_larger_than_the_route_takes(system: System, caller: Caller) -> None:
    """`limits.max_body`."""
    answer = asked(system, caller, image="data:image/png;base64," + "A" * 11_000_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
