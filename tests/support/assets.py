"""D: Admin's styles and scripts are looked for once in a process, not once for each client that a test makes."""

from typing import Any

from whitenoise.middleware import WhiteNoiseMiddleware


def install() -> None:
    """The first client looks through the installed packages, as long as for a page; others know what it found."""
    look: Any = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, dict[str, Any]] = {}

    def look_once(middleware: Any) -> None:
        if middleware.static_prefix not in found:
            look(middleware)
            found[middleware.static_prefix] = dict(middleware.files)
        middleware.files.update(found[middleware.static_prefix])

    WhiteNoiseMiddleware.add_files_from_finders = look_once
