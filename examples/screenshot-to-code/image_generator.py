"""Screenshot-to-Code's image generator: images from prompts, which a worker draws meanwhile.

python -m examples.screenshot-to-code.image_generator --port 8003
"""

from collections import Counter
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field

from examples.faults import answer_faults
from examples.generations import Generations, Owner
from examples.serving import asgi
from examples.telling import prefix

Provider = Literal["dalle3", "flux"]
Size = Literal["256x256", "512x512", "1024x1024", "1792x1024"]
app = FastAPI(title="Image generator", version="1.0.0")
answer_faults(app)
generations = Generations("image", "img")
router = APIRouter(prefix=f"{prefix()}/images")


class Wanted(BaseModel):
    """What is to be seen."""

    prompt: str = Field(min_length=1, max_length=4000)
    provider: Provider = "dalle3"
    size: Size = "1024x1024"
    num_images: int = Field(1, ge=1, le=4)


class Batch(BaseModel):
    """Several at once."""

    prompts: list[Wanted] = Field(min_length=1, max_length=20)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@router.post("/generate", status_code=202)
async def generate(wanted: Wanted, owner: Owner) -> dict[str, Any]:
    return generations.begin(owner, **wanted.model_dump())


@router.post("/batch-generate", status_code=202)
async def batch(batch: Batch, owner: Owner) -> dict[str, Any]:
    """A generation for each prompt."""
    begun = [generations.begin(owner, **wanted.model_dump()) for wanted in batch.prompts]
    return {"generations": begun, "images": sum(wanted.num_images for wanted in batch.prompts)}


@router.get("/generation/{number}")
async def generation(number: str, owner: Owner) -> dict[str, Any]:
    return generations.shown(generations.of(owner, number))


@router.delete("/generation/{number}", status_code=204)
async def delete(number: str, owner: Owner) -> None:
    del generations.kept[generations.of(owner, number)]


@router.get("/providers")
async def providers() -> dict[str, Any]:
    """The same for everybody."""
    sizes = list(Size.__args__)  # type: ignore[attr-defined]
    return {"providers": [{"name": name, "sizes": sizes, "most_images": 4} for name in ("dalle3", "flux")]}


@router.get("/usage/stats")
async def usage(owner: Owner) -> dict[str, Any]:
    """What the caller has asked for, and what of it is there."""
    mine = [each for each in generations.kept.values() if each["owner"] == owner]
    by_provider: Counter[str] = Counter()
    for each in mine:
        by_provider[each["wanted"]["provider"]] += each["wanted"]["num_images"]
    by_status = Counter(each["status"] for each in mine)
    return {
        "owner": owner,
        "generations": len(mine),
        "images": by_provider.total(),
        "by_provider": by_provider,
        "by_status": by_status,
    }


app.include_router(router)
app.include_router(generations.router)

if __name__ == "__main__":
    asgi(app)
