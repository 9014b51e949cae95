"""The six endpoints of image generation."""

from typing import Any

import pytest

from tests.support.systems import System, until

Caller = dict[str, str]
WANTED = {
    "prompt": "A modern web interface with clean design",
    "provider": "dalle3",
    "size": "1024x1024",
    "num_images": 2,
}


def test_generate_and_delete(system: System, caller: Caller) -> None:
    """POST generate → GET generation/{id} → DELETE generation/{id}."""
    begun = system.ask("POST", "/api/v1/images/generate", caller, json=WANTED)
    path = f"/api/v1/images/generation/{begun.json()['generation_id']}"
    until(lambda: system.ask("GET", path, caller).json()["status"] == "completed", every_s=0.2)
    made = system.ask("GET", path, caller).json()
    deleted, again = (system.ask("DELETE", path, caller) for _ in range(2))
    assert begun.status_code == 202
    assert len(made["images"]) == 2
    assert all(image.startswith("data:image/svg+xml,") for image in made["images"])
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, system.ask("GET", path, caller).status_code) == (404, 404)


def test_batch_and_usage(system: System) -> None:
    """POST batch-generate makes one for each prompt; GET usage/stats counts the caller's own."""
    caller = system.newcomer("counted")
    batch = {"prompts": [{"prompt": "a cat"}, {"prompt": "a dog", "provider": "flux", "num_images": 3}]}
    begun = system.ask("POST", "/api/v1/images/batch-generate", caller, json=batch)
    stats = system.ask("GET", "/api/v1/images/usage/stats", caller).json()
    assert begun.status_code == 202
    assert len(begun.json()["generations"]) == 2
    assert (stats["generations"], stats["images"]) == (2, 4)
    assert stats["by_provider"] == {"dalle3": 1, "flux": 3}


def test_providers_come_from_the_cache(system: System) -> None:
    """GET providers is public and kept."""
    answers = [system.ask("GET", "/api/v1/images/providers") for _ in range(2)]
    assert [each["name"] for each in answers[1].json()["providers"]] == ["dalle3", "flux"]
    assert answers[1].headers["X-Cache"] == "HIT"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("generate", {**WANTED, "provider": "crayons"}),
        ("generate", {**WANTED, "num_images": 9}),
        ("generate", {"prompt": ""}),
        ("batch-generate", {"prompts": []}),
        ("batch-generate", {"prompts": [{"prompt": "x", "size": "tiny"}]}),
    ],
)
def test_bodies_that_do_not_pass(system: System, caller: Caller, path: str, body: dict[str, Any]) -> None:
    answer = system.ask("POST", f"/api/v1/images/{path}", caller, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
