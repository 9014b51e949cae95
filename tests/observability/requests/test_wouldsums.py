"""Whom policies in mode log would have refused."""

from authproxy.identity import Identity
from authproxy.rejections import Code, Rejection
from observability.requests.wouldsums import MOST, Key, WouldSums, digest
from tests.support.records import record

NO = Rejection(Code.FORBIDDEN, "No.")
USED_UP = Rejection(Code.RATE_LIMIT, "Used up.", details={"quota": "daily"})


def test_they_are_summed_up_by_caller_and_policy() -> None:
    """With the last request of each."""
    sums = WouldSums()
    ada = Identity(method="jwt", consumer="ada")
    for number in range(3):
        given = record(
            "r",
            identity=ada,
            ended=100.0 + number,
            request_id=b"%d" % number,
            would=(("ip", NO), ("quotas", USED_UP)),
        )
        sums.note(given, 1000.0)
    taken = sums.take()

    assert set(taken) == {Key("r", "ip", "", "ada"), Key("r", "quotas", "daily", "ada")}
    found = taken[Key("r", "ip", "", "ada")]
    assert (found.count, found.first_at, found.last_at, found.request_id) == (3, 1100.0, 1102.0, "2")
    assert len(sums) == 0


def test_what_could_not_be_written_is_added_again() -> None:
    """To what came meanwhile."""
    sums = WouldSums()
    sums.note(record("r", would=(("ip", NO),)), 0.0)
    taken = sums.take()
    sums.note(record("r", ended=200.0, would=(("ip", NO),)), 0.0)
    sums.put_back(taken)
    [found] = sums.take().values()

    assert (found.count, found.last_at) == (2, 200.0)


def test_they_are_bounded() -> None:
    """However many callers come."""
    sums = WouldSums()
    for number in range(MOST + 5):
        known = Identity(method="jwt", consumer=str(number))
        sums.note(record(identity=known, would=(("auth", NO),)), 0.0)

    assert (len(sums), sums.left_out) == (MOST, 5)


def test_keys_do_not_run_into_each_other() -> None:
    """Names stay apart."""
    assert digest(Key("a", "b", "", "c")) != digest(Key("a", "b", "c", ""))
