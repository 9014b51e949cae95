"""Expressions over bodies, beside other requests."""

import asyncio

import pytest

from authproxy.shaping.applying import applied
from routing.shapes.transform import expression_of


@pytest.mark.parametrize("size", [3, 30_000])
async def test_short_and_long_bodies_alike(size: int) -> None:
    """Here, or in a thread."""
    expression = expression_of("[?@ > `1`] | length(@)")
    assert expression is not None

    assert await applied(expression, str(list(range(size))).encode()) == b"%d" % (size - 2)
    assert await applied(expression, b"<html>" * size) is None


async def test_what_takes_long_ends_and_holds_nobody_up() -> None:
    """The loop turns while a thread evaluates."""
    expression = expression_of("[*].[@, @, @, @]")
    assert expression is not None
    work = asyncio.create_task(applied(expression, str([0] * 300_000).encode()))
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0.001)

    assert turns > 1
    with pytest.raises(ValueError, match="more than 500000 steps"):
        await work
