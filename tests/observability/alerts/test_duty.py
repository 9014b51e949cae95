"""Alerts from end to end: rows in the database, a webhook and a mail server on sockets."""

from datetime import datetime
from typing import Any

import orjson
import pytest

from observability.alerts.conditions import Condition
from observability.alerts.signing import fields
from observability.models import AlertDelivery
from observability.rows.alerts import SENT, WAITING
from tests.support.alerting import OPEN, SECRET, World, hook_receiver, mail_receiver, until
from tests.support.receivers import CLOSE, HANG, Mailbox, mail_server, webhook

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def sent(name: str = "ops") -> int:
    return AlertDelivery.objects.filter(receiver__name=name, state=SENT).count()


def test_of_two_workers_one_tells() -> None:
    """One message when it begins and one when it ends, signed, with the same incident."""
    world = World()
    first, second = world.duty("w1"), world.duty("w2")
    with webhook() as hook:
        hook_receiver(hook.url)
        world.wrong = [OPEN]
        until(lambda: sent() == 1, first, second)
        assert (first.is_ours, second.is_ours) == (True, False)
        world.wrong = []
        until(lambda: sent() == 2, first, second)
        messages = [hook.received.get(timeout=5) for _ in range(2)]
        assert hook.received.empty()
    bodies = [orjson.loads(body) for _, _, body in messages]
    assert [each["type"] for each in bodies] == ["alert.firing", "alert.resolved"]
    assert len({each["data"]["incident"] for each in bodies}) == 1
    for _, given, body in messages:
        at = int(given["webhook-timestamp"])
        assert fields(SECRET, id=given["webhook-id"], at=at, body=body).items() <= given.items()


def test_what_fails_is_sent_again_under_its_id() -> None:
    """Not before its time."""
    world = World()
    duty = world.duty()
    with webhook() as hook:
        hook_receiver(hook.url)
        hook.then(503, CLOSE)
        world.wrong = [OPEN]
        for attempts in (1, 2):
            until(AlertDelivery.objects.filter(attempts=attempts).exists, duty)
            duty.look()
            assert AlertDelivery.objects.get().state == WAITING
            assert duty.waiting == 1
            world.now += 60
        until(lambda: sent() == 1, duty)
        ids = {hook.received.get(timeout=5)[1]["webhook-id"] for _ in range(3)}
    assert len(ids) == 1
    assert (dict(duty.counts), duty.waiting) == ({"dropped": 0, "retried": 2, "sent": 1}, 0)


def test_a_receiver_that_hangs_holds_up_nobody(settings: Any) -> None:
    """Neither a stuck webhook nor a stuck mail server delays the others."""
    world = World()
    duty = world.duty()
    with webhook() as stuck, webhook() as hook, mail_server(Mailbox(hangs=True)) as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        stuck.then(HANG)
        hook_receiver(stuck.url, "stuck")
        mail_receiver("mail")
        hook_receiver(hook.url)
        world.wrong = [OPEN]
        until(lambda: stuck.received.qsize() == 1 and box.came.is_set(), duty)
        until(lambda: sent() == 1, duty)
        world.wrong = []
        until(lambda: sent() == 2, duty)
        assert (sent("stuck"), sent("mail")) == (0, 0)


def test_mail_is_told(settings: Any) -> None:
    """In words."""
    world = World()
    with mail_server() as box:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        mail_receiver()
        world.wrong = [OPEN]
        until(lambda: sent("mail") == 1, world.duty())
        _, text = box.messages.get(timeout=5)
    assert "FIRING: The breaker of orders is open" in text


def test_a_source_that_fails_ends_nothing() -> None:
    """What it had said goes on, and the others are heard."""
    world = World()

    def broken(_now: datetime) -> list[Condition]:
        raise RuntimeError("no counts")

    with webhook() as hook:
        hook_receiver(hook.url)
        world.wrong = [OPEN]
        until(lambda: sent() == 1, world.duty())
        other = world.duty("w1", world.source(broken))
        other.look()
        assert AlertDelivery.objects.filter(event="resolved").count() == 0


def test_a_secret_of_another_key_is_told(settings: Any) -> None:
    """And nothing goes out unsigned."""
    world = World()
    with webhook() as hook:
        hook_receiver(hook.url)
        settings.SECRET_KEY = "another one, that is long enough"
        world.wrong = [OPEN]
        until(lambda: AlertDelivery.objects.filter(attempts=1).exists(), world.duty())
        assert "another SECRET_KEY" in AlertDelivery.objects.get().error
        assert hook.received.empty()
