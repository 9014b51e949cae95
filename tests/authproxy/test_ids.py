"""Ids for requests that bring none."""

import os
import re

from authproxy import headers, ids


def test_ids_are_distinct_and_valid() -> None:
    """A thousand ids are a thousand, and each is a legal trace id."""
    made = {ids.request_id() for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch(rb"[0-9a-f]{32}", name) for name in made)


def test_a_made_trace_context_is_one_that_we_would_accept() -> None:
    """What the gateway sends passes its own reading, and has the request's id as its trace id."""
    request_id, traceparent = ids.correlation()

    assert headers.read([(b"traceparent", traceparent)]).traceparent == traceparent
    assert traceparent.split(b"-")[1] == request_id
    assert headers.read([(b"x-request-id", request_id)]).request_id == request_id


def test_a_fork_makes_others() -> None:
    """Workers may be forks of one process."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        try:
            os.write(writer, ids.request_id())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(pid, 0)
    assert (len(theirs), theirs == ids.request_id()) == (32, False)
