"""P: What ends a connection because one side broke the protocol's rules or the route's bounds."""


class Violation(Exception):  # noqa: N818 - what a peer did, not an error in the program
    """`code` is what the offender is told (RFC 6455 section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
