"""I: The Chromium that browser tests drive."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The path of Chromium: the CHROMIUM variable's, else the first found; None where there is none."""
    candidates = (os.environ.get("CHROMIUM"), *NAMES)
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def is_required() -> bool:
    """Continuous integration must run the browser tests."""
    return os.environ.get("CI", "").lower() in ("true", "1")
