"""I: The secret key that is generated into VAR_DIR when none is given."""

import contextlib
import os
import secrets
from pathlib import Path

FILE_NAME = "secret_key"


def load_or_create(var_dir: Path) -> str:
    """The secret kept in `var_dir`, made on first use; raises OSError where that cannot be done.

    Several processes may start at once: each writes a whole file aside, and hard-linking it into place is
    atomic and fails for all but one, so that every process reads the same secret and never half of one.
    """
    path = var_dir / FILE_NAME
    if not path.exists():
        aside = var_dir / f".{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(aside)
        finally:
            aside.unlink()
    secret = path.read_text().strip()
    if not secret:
        raise OSError(f"{path} is empty; remove it to have a new one made")
    return secret
