"""What Screenshot-to-Code's two services share: generations in memory, and the queue that the worker takes from."""

import asyncio
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from examples.faults import Fault
from examples.serving import said

LONGEST_WAIT_S = 10.0
Generation = dict[str, Any]


def owner(request: Request) -> str:
    """Whose generation it is: the caller's as the gateway names it, or nobody's."""
    caller = said("screenshot-to-code", request.method, request.url.path, request.headers)
    return str(caller["name"]) if caller else ""


Owner = Annotated[str, Depends(owner)]


class Generations:
    """One service's. `router` is for the worker: no route of the gateway leads to it."""

    def __init__(self, kind: str, beginning: str) -> None:
        self.kind = kind
        self.kept: dict[str, Generation] = {}
        self._beginning = beginning
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self.router = APIRouter(prefix="/jobs")
        self.router.post("/next")(self._take)
        self.router.patch("/{number}")(self._note)

    def begin(self, owner: str, **wanted: Any) -> Generation:
        """A new one, which waits for the worker."""
        number = f"{self._beginning}_{secrets.token_hex(6)}"
        self.kept[number] = {
            "generation_id": number,
            "kind": self.kind,
            "owner": owner,
            "status": "queued",
            "percent": 0,
            "wanted": wanted,
        }
        self._waiting.put_nowait(number)
        return self.shown(number)

    def again(self, number: str, **wanted: Any) -> Generation:
        """One that is there already, with more that is wanted."""
        generation = self.kept[number]
        generation["wanted"] |= wanted
        generation |= {"status": "queued", "percent": 0}
        self._waiting.put_nowait(number)
        return self.shown(number)

    def of(self, owner: str, number: str) -> str:
        """The number, if it is a generation of theirs; else 404."""
        if self.kept.get(number, {}).get("owner") != owner:
            raise Fault(404, "There is no such generation.", generation_id=number)
        return number

    def shown(self, number: str) -> Generation:
        """As clients see it: without the screenshot, which they have."""
        generation = self.kept[number]
        return {name: value for name, value in generation.items() if name != "wanted"}

    async def _take(self) -> Any:
        """The next that waits; 204 after a while, so that the worker asks again."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                while (number := await self._waiting.get()) not in self.kept:
                    pass  # it was deleted meanwhile
        except TimeoutError:
            return Response(status_code=204)
        self.kept[number]["status"] = "processing"
        return self.kept[number]

    async def _note(self, number: str, done: dict[str, Any]) -> dict[str, bool]:
        """What the worker has done so far."""
        if number in self.kept:
            self.kept[number] |= done
        return {"kept": number in self.kept}
