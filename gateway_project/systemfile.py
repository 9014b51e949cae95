"""P: `system.yaml` of an example system: its services as programs, its environment, its accounts, what to try.

The layout is told in `examples/README.md`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_CREDENTIAL: Final = re.compile(r"\{([\w-]+)\.(password|key)\}")
_SECRET: Final = "{secret}"  # noqa: S105 - where a secret goes, not one

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]


class SystemFault(Exception):  # noqa: N818 - told in one sentence
    """The file is not as it should be; str(error) names each place."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServiceEntry(_Entry):
    """A program to run. `command` are the interpreter's arguments, to which `--port PORT` is added if it listens."""

    name: Name
    command: tuple[str, ...]
    variable: str = ""
    """Tells the gateway and the other services its URL; <NAME>_SERVICE_URL if it is not said."""
    listens: bool = True
    ready: str = ""
    """A path that answers below 500 once it can work; without one, it is ready when it listens."""
    environment: dict[str, str] = {}


class AccountEntry(_Entry):
    """Somebody with a password, which is made up."""

    name: Name
    email: str = ""
    roles: tuple[str, ...] = ()
    staff: bool = False


class ConsumerEntry(_Entry):
    """A program with a key."""

    name: Name
    kind: Literal["user", "service"] = "service"
    plan: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


class SystemFile(_Entry):
    """The whole file. `environment` holds for the gateway and the services, where nobody has set it otherwise."""

    services: tuple[ServiceEntry, ...]
    environment: dict[str, str] = {}
    accounts: tuple[AccountEntry, ...] = ()
    consumers: tuple[ConsumerEntry, ...] = ()
    lines: tuple[str, ...] = Field(default=(), alias="try")


def read(document: Any) -> SystemFile:
    """The file as it was parsed; raises SystemFault."""
    try:
        return SystemFile.model_validate(document)
    except ValidationError as error:
        places = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise SystemFault("; ".join(places)) from error


def with_credentials(text: str, passwords: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Fills in `{NAME.password}` and `{NAME.key}`; one that is not known is left, for whoever knows it."""

    def credential(found: re.Match[str]) -> str:
        known = passwords if found[2] == "password" else keys
        return known.get(found[1], found[0])

    return _CREDENTIAL.sub(credential, text)


def wants_secret(text: str) -> bool:
    """Whether a secret is to be filled in."""
    return _SECRET in text


def with_secret(text: str, secret: str) -> str:
    """Fills in `{secret}`, which is this installation's own."""
    return text.replace(_SECRET, secret)
