"""Snapshots for tests, compiled as the gateway compiles them but without its hooks."""

from collections.abc import Mapping
from typing import Any

from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import Snapshot


def snapshot_of(raw: Mapping[str, Any] | None = None, *, revision: int = 1, **options: Any) -> Snapshot:
    """Compile `raw` (nothing by default)."""
    return compile_snapshot(raw or {"version": 1}, revision=revision, options=CompileOptions(**options))
