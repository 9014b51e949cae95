"""Screenshot-to-Code's code generator: code from a screenshot, which a worker writes meanwhile.

python -m examples.screenshot-to-code.code_generator --port 8002
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Form, UploadFile
from pydantic import BaseModel, Field

from examples.faults import answer_faults
from examples.generations import Generations, Owner
from examples.serving import asgi
from examples.telling import prefix

Stack = Literal["html_tailwind", "html_css", "react_tailwind", "vue_tailwind", "bootstrap"]
STACKS = Stack.__args__  # type: ignore[attr-defined]
app = FastAPI(title="Code generator", version="1.0.0")
answer_faults(app)
generations = Generations("code", "gen")
router = APIRouter(prefix=f"{prefix()}/code")


class Wanted(BaseModel):
    """A screenshot as a data: URL, and what is to become of it."""

    image: str = Field(pattern="^data:image/")
    code_stack: Stack
    generation_type: Literal["create", "update"] = "create"
    should_generate_images: bool = False


class Refinement(BaseModel):
    """What is to be different."""

    instructions: str = Field(min_length=1, max_length=4000)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "healthy"}


@router.post("/generate", status_code=202)
async def generate(wanted: Wanted, owner: Owner) -> dict[str, Any]:
    """Begins; how far it is comes over the gateway's WebSocket, and below generation/{id}."""
    return generations.begin(owner, **wanted.model_dump(exclude={"image"}), size=len(wanted.image))


@router.post("/upload-and-generate", status_code=202)
async def upload(
    file: UploadFile,
    owner: Owner,
    code_stack: Annotated[Stack, Form()] = "html_tailwind",
    should_generate_images: Annotated[bool, Form()] = False,
) -> dict[str, Any]:
    """The same, of a file."""
    size = len(await file.read())
    wanted = {"code_stack": code_stack, "should_generate_images": should_generate_images, "size": size}
    begun = generations.begin(owner, **wanted)
    return {**begun, "file": {"name": file.filename, "content_type": file.content_type, "bytes": size}}


@router.get("/generation/{number}")
async def generation(number: str, owner: Owner) -> dict[str, Any]:
    return generations.shown(generations.of(owner, number))


@router.post("/refine/{number}", status_code=202)
async def refine(number: str, refinement: Refinement, owner: Owner) -> dict[str, Any]:
    return generations.again(generations.of(owner, number), instructions=refinement.instructions)


@router.get("/variants")
async def variants() -> dict[str, Any]:
    """The same for everybody."""
    return {"variants": [{"name": stack, "label": stack.replace("_", " with ")} for stack in STACKS]}


app.include_router(router)
app.include_router(generations.router)

if __name__ == "__main__":
    asgi(app)
