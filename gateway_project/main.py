"""D: The command `torana` of an installed package: `manage.py gateway …`; `torana manage …` is all of `manage.py`."""

import os
import sys

from gateway_project.beginning import begun
from gateway_project.config import ConfigError
from gateway_project.version import VERSION

INTERRUPTED = 130


def main() -> None:
    """Runs the command line of this process, or ends it with a line that says what is wrong with the environment."""
    if sys.argv[1:] == ["--version"]:
        print(f"torana {VERSION}")  # noqa: T201 - what was asked for
        return
    # Settings look at it, too, to know which command is run.
    sys.argv = [sys.argv[0], *command_line(sys.argv[1:])]
    execute()


def command_line(arguments: list[str]) -> list[str]:
    """What `manage.py` would have been given."""
    if arguments[:1] == ["manage"]:
        return arguments[1:]
    return arguments if arguments[:1] == ["gateway"] else ["gateway", *arguments]


def execute() -> None:
    """Runs one of Django's commands, as `sys.argv` says."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
    try:
        with begun(sys.argv[1:], os.environ):
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except ConfigError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:  # while it is still being imported
        sys.exit(INTERRUPTED)
