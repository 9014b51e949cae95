"""D: Accounts and keys of an example system, made once; what only they know is kept in VAR_DIR.

`VAR_DIR/example.json` (0600): `{"url", "passwords": {account: …}, "keys": {consumer: …}, "services": {name: {"url",
"pid", "command", "environment"}}}`. The last start wrote it; passwords and keys stay from the first one.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import Group

from authproxy import accounts, apikeys, consumers
from gateway_project.hashing import lightly
from gateway_project.systemfile import AccountEntry, ConsumerEntry

FILE_NAME: Final = "example.json"
_BY: Final = "quickstart"


@dataclass(slots=True)
class Credentials:
    """What opens the accounts and consumers of an example, by name."""

    passwords: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def make(people: Iterable[AccountEntry], programs: Iterable[ConsumerEntry]) -> Credentials:
    """Accounts with passwords that are made up, and consumers with a key each. Raises ValidationError."""
    found = Credentials()
    for person in people:
        _, found.passwords[person.name] = accounts.create(
            person.name,
            email=person.email,
            roles=_groups(person.roles),
            is_staff=person.staff,
            hashed=lightly,
        )
    for program in programs:
        consumer = consumers.create(
            program.name,
            kind=program.kind,
            plan=program.plan,
            roles=_groups(program.roles),
            scopes=program.scopes,
        )
        _, found.keys[program.name] = apikeys.create(consumer, program.name, by=_BY)
    return found


def _groups(names: Iterable[str]) -> list[Group]:
    return [Group.objects.get_or_create(name=name)[0] for name in names]


def kept(var_dir: Path) -> Credentials:
    """Those of an earlier start; nothing where there was none, or where the file cannot be read."""
    try:
        found = json.loads((var_dir / FILE_NAME).read_text())
        return Credentials(dict(found["passwords"]), dict(found["keys"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Credentials()


def keep(
    var_dir: Path,
    credentials: Credentials,
    *,
    url: str = "",
    services: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write the file anew, whole or not at all."""
    text = json.dumps(
        {
            "url": url,
            "passwords": credentials.passwords,
            "keys": credentials.keys,
            "services": services or {},
        },
        indent=2,
    )
    aside = var_dir / f".{FILE_NAME}.{os.getpid()}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    aside.replace(var_dir / FILE_NAME)
