"""D: One e-mail sent through the server of EMAIL_URL."""

import smtplib
from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from observability.alerts.retrying import Result

TIMEOUT_S: Final = 10
NOT_SET: Final = "EMAIL_URL is not set: there is no mail server to send by"


def mail(addresses: Sequence[str], subject: str, text: str, *, id: str) -> Result:  # noqa: A002
    """`id` is the same for all attempts, so that mail programs show one that came twice as one. Never raises."""
    if not settings.EMAIL_HOST:
        return Result(False, NOT_SET)
    sender = settings.DEFAULT_FROM_EMAIL
    domain = sender.rpartition("@")[2].rstrip(">") or "localhost"
    message = EmailMessage(
        subject=subject,
        body=text,
        from_email=sender,
        to=list(addresses),
        headers={"Message-ID": f"<{id}@{domain}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(timeout=TIMEOUT_S),
    )
    try:
        message.send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Result(False, f"{type(error).__name__}: {error}"[:300])
    return Result(True)
