"""I: JMESPath over bodies, beside other requests: an evaluation of few steps is done at once, any other in a thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from routing.evaluating import FEW_STEPS, MOST_STEPS, TooManySteps, evaluated
from routing.shapes.transform import Expression

_AT_ONCE: Final = 64 * 1024
"""A longer body is not even parsed on the event loop."""
_threads: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transform")


async def applied(expression: Expression, body: bytes) -> bytes | None:
    """The JSON that an expression makes of a JSON text; None for what is no JSON. Raises ValueError where it cannot be
    applied, or takes too long."""
    if len(body) <= _AT_ONCE:
        try:
            return evaluated(expression.parsed, body, steps=FEW_STEPS)
        except TooManySteps:
            pass
    work = partial(evaluated, expression.parsed, body, steps=MOST_STEPS)
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    except TooManySteps:
        raise ValueError(f"it takes more than {MOST_STEPS} steps") from None
