"""The access log of one worker."""

from pathlib import Path

import orjson

from gateway_project.server.context import REFUSAL_LISTENERS
from gateway_project.server.refusals import HEAD_TOO_LARGE
from tests.gateway_project.test_wiring import SAYING_HI, Worker


async def test_requests_and_refusals_are_written(tmp_path: Path) -> None:
    """With the ids that the answer has; secrets in queries are not."""
    file = tmp_path / "access.log"
    worker = Worker(access_log=str(file), var_dir=tmp_path)
    await worker.offer(SAYING_HI)
    worker.gateway._access_log.start()
    await worker.get("/hi?token=s3cret", (b"x-request-id", b"abc-123-def"))
    REFUSAL_LISTENERS[-1](HEAD_TOO_LARGE, "192.0.2.1", "id2")
    worker.gateway._recorder.drain()
    await worker.gateway._access_log.stop()
    text = file.read_text()
    lines = [orjson.loads(line) for line in text.splitlines()]

    assert {each["request_id"] for each in lines} == {"abc-123-def", "id2"}
    assert {each.get("route") for each in lines} == {"hi", None}
    assert "s3cret" not in text


async def test_off_is_off(tmp_path: Path) -> None:
    worker = Worker(access_log="off", var_dir=tmp_path)
    worker.gateway._access_log.start()
    await worker.gateway._access_log.stop()

    assert worker.gateway._access_log.dropped == 0
    assert not [each for each in tmp_path.iterdir() if "log" in each.name]
