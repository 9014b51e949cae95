"""P: Clients say the same of themselves in each request of a connection: such header fields are not read again.

Fields that are byte for byte those of the request before need no parser: what it said of them still holds.
Only the request line is new, and only one that leaves nothing open is read here; any other goes to the parser.
"""

from __future__ import annotations

import re
from typing import Final

from gateway_project.server.heads import METHODS
from gateway_project.server.limits import ServerLimits

Pairs = list[tuple[bytes, bytes]]

_LONGEST: Final = 4096
"""Bytes of a request that is looked at. As much may be held by each connection."""
_CHANCES: Final = 4
"""So often the fields may be others in a row; then they are taken to be others always, and not looked at."""
_END: Final = b"\r\n\r\n"
_LINE: Final = re.compile(rb"([A-Z]{1,16}) (/[!-\"$->@-~]*)(?:\?([!-\"$-~]*))? HTTP/1\.1").fullmatch
"""Origin form alone (RFC 9112 section 3.2.1), without a fragment."""


class Repeats:
    """What is known of a connection's last request, if that was one that has no body and leaves the connection open.

    `block` is its head from the end of the request line on, `headers` its fields; None and [] if nothing is known.
    """

    __slots__ = ("_chances", "_longest", "block", "headers")

    def __init__(self, limits: ServerLimits) -> None:
        self.block: bytes | None = None
        self.headers: Pairs = []
        self._chances = _CHANCES
        self._longest = min(_LONGEST, limits.max_url_bytes, limits.max_head_bytes)

    def line(self, data: bytes) -> tuple[str, bytes, bytes] | None:
        """Method, path and query of a request that ends with `block`; None: the parser has to read it."""
        assert self.block is not None
        size = len(data)
        found = _LINE(data, 0, size - len(self.block)) if size <= self._longest else None
        method = METHODS.get(found[1]) if found is not None else None
        if found is None or method is None:
            return None
        self._chances = _CHANCES
        return method, found[2], found[3] or b""

    def keep(self, data: bytes, headers: Pairs) -> None:
        """`data` began between two requests, and the parser read one there, with these fields and no body."""
        if not self._chances or len(data) > self._longest or data.find(_END) != len(data) - len(_END):
            return
        begin = data.index(b"\r\n")
        if _LINE(data, 0, begin):  # a whole URL there would have taken the place of the Host field
            self._chances -= 1
            self.block = data[begin:]
            self.headers = headers

    def forget(self) -> None:
        """Another request begins."""
        self.block = None
