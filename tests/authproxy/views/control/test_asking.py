"""What calls of the control API have in common: parameters, messages, and refusals."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.test import RequestFactory
from rest_framework.request import Request

from authproxy.refusing import Refused
from authproxy.views.control.asking import (
    LONGEST_MESSAGE,
    at_once,
    changing,
    flag,
    is_conditional,
    message_of,
)
from routing.locking import StoreUnavailable, hold_lock
from routing.models import EditConflict
from routing.problems import ConfigurationInvalid, Problem
from routing.publishing import PublishRefused


def asked(query: str = "", **headers: str) -> Request:
    return Request(RequestFactory().get(f"/?{query}", headers=headers))


def test_flags() -> None:
    """Given without a value, it is meant."""
    assert [flag(asked(query), "f") for query in ("", "f", "f=true", "f=1", "f=FALSE", "f=0")] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(Refused):
        flag(asked("f=yes"), "f")


def test_messages() -> None:
    """Of the query before the header's; one line of bounded length."""
    assert message_of(asked()) == ""
    assert message_of(asked("message=a", **{"x-change-message": "b"})) == "a"
    assert message_of(asked(**{"x-change-message": "gr\u00c3\u00bcn"})) == "grün"
    for text in ("a%0Ab", "x" * (LONGEST_MESSAGE + 1)):
        with pytest.raises(Refused):
            message_of(asked(f"message={text}"))


@pytest.mark.parametrize(
    ("error", "status", "details"),
    [
        (PublishRefused("there is a draft"), 409, {}),
        (EditConflict("it was changed"), 412, {}),
        (ValidationError({"name": ["Taken."]}), 400, {"name": ["Taken."]}),
        (ValidationError("Wrong."), 400, {"body": ["Wrong."]}),
        (IntegrityError(), 409, {}),
        (StoreUnavailable("the database cannot be reached: 10.0.0.1"), 503, {}),
    ],
)
def test_refusals(error: Exception, status: int, details: dict[str, object]) -> None:
    """Each of the services' as an answer, without addresses."""
    with pytest.raises(Refused) as caught, changing():
        raise error
    rejection = caught.value.rejection
    assert (rejection.status, dict(rejection.details)) == (status, details)
    assert "10.0.0.1" not in rejection.message


def test_a_faulty_configuration_is_a_conflict_where_the_body_is_not_to_blame() -> None:
    """The first problem is in the message, all are in the details."""
    problems = [Problem("gateway.E011", "routes[0].service", "gone"), Problem("gateway.E011", "b", "gone")]
    for is_conflict, status in ((False, 400), (True, 409)):
        with pytest.raises(Refused) as caught, changing(invalid_is_conflict=is_conflict):
            raise ConfigurationInvalid(problems)
        rejection = caught.value.rejection
        assert (rejection.status, rejection.details["count"]) == (status, 2)
        assert rejection.message == "routes[0].service: gone (and 1 more)"


def test_what_has_a_precondition() -> None:
    """Either field is one."""
    asked_for = [asked(), asked(**{"if-match": '"a"'}), asked(**{"if-none-match": "*"})]
    assert [is_conditional(request) for request in asked_for] == [False, True, True]


@pytest.mark.django_db
def test_a_precondition_and_its_change_are_one_transaction() -> None:
    """The lock is taken in it; what the database refuses is an answer."""
    with at_once(lambda: hold_lock(1)):
        pass
    with pytest.raises(Refused) as refused, at_once():
        raise OperationalError("database is locked")
    assert refused.value.rejection.status == 503
