"""D: Calendar counts as workers record them, and the quotas that they are of."""

import time
from typing import Any

from resilience.models import QuotaCount
from routing.drafts import Actor
from routing.publishing import apply_document

DAY_S = 86_400


def configured() -> None:
    """`free`, ten a day, or a hundred on the plan gold; `month`, a thousand a month."""
    quotas = [{"name": "free", "limit": 10, "per": "day"}, {"name": "month", "limit": 1000, "per": "month"}]
    plans = [{"name": "gold", "quotas": [{"name": "free", "limit": 100, "per": "day"}]}]
    document: dict[str, Any] = {"version": 1, "quotas": quotas, "plans": plans}
    apply_document(document, actor=Actor("first"))


def counted(bucket: str, count: int, *, days: int = 1) -> QuotaCount:
    """Until so many midnights from now on."""
    ends_s = (int(time.time()) // DAY_S + days) * DAY_S
    return QuotaCount.objects.create(bucket=bucket, count=count, ends_s=ends_s)
