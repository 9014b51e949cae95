"""I: Pages that show what workers write in batches."""

from collections.abc import Callable

from playwright.async_api import Locator, Page, expect

TRIES = 15


async def reloaded_until(page: Page, path: str, find: Callable[[Page], Locator]) -> Locator:
    """What the page shows once a batch was written, which takes up to a second: it is opened until it is there."""
    for _ in range(TRIES):
        await page.goto(path)
        try:
            await expect(find(page)).to_be_visible(timeout=500)
        except AssertionError:
            continue
        break
    await expect(find(page)).to_be_visible()
    return find(page)
