"""D: The log of requests for staff, as the environment wants it."""

from datetime import timedelta
from random import Random

from gateway_project.config import GatewayConfig
from observability.requests.log import Bounds, RequestLog
from observability.requests.masking import Masking


def request_log(config: GatewayConfig, *, node: str) -> RequestLog | None:
    """One worker's; None where it is off."""
    if not config.request_log:
        return None
    bounds = Bounds(
        faults_per_s=config.request_log_faults_per_second,
        samples_per_s=config.request_log_samples_per_second,
        rows=config.request_log_rows,
        kept_for=timedelta(days=config.request_log_days),
    )
    masking = Masking(frozenset(name.lower() for name in config.request_log_mask))
    return RequestLog(bounds, node=node, masking=masking, random=Random())  # noqa: S311 - which ones, not a secret
