"""I: The discovered targets as a worker saw them last, kept as a file for a start without a database."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from routing.lastgood import replace
from routing.leasing import LeasedTarget, Targets
from routing.revision import checksum

LOG = logging.getLogger(__name__)
FORMAT: Final = "torana-leases-1"
FILE_NAME: Final = "last-leases.json"


class LeaseFile:
    """One file under VAR_DIR: a header line, then the targets by service. Workers may save at the same time."""

    __slots__ = ("path",)

    def __init__(self, var_dir: Path) -> None:
        self.path = var_dir / FILE_NAME

    def save(self, targets: Mapping[str, Targets]) -> None:
        """Replaces the file in one step. Raises OSError."""
        text = orjson.dumps({service: [list(each) for each in found] for service, found in targets.items()})
        header = {"format": FORMAT, "checksum": checksum(text.decode())}
        replace(self.path, orjson.dumps(header) + b"\n" + text + b"\n")

    def load(self) -> dict[str, Targets]:
        """What is kept; nothing, with a line in the log, if there is nothing that can be trusted."""
        try:
            return _parse(self.path.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            LOG.warning("%s is not used: %s", self.path, error)
            return {}


def _parse(text: str) -> dict[str, Targets]:
    head, _, body = text.partition("\n")
    header = orjson.loads(head)
    body = body.removesuffix("\n")
    if header["format"] != FORMAT:
        raise ValueError("it has another format")
    if header["checksum"] != checksum(body):
        raise ValueError("its checksum is wrong: it was torn or edited")
    return {
        service: tuple(LeasedTarget(*each) for each in found) for service, found in orjson.loads(body).items()
    }
