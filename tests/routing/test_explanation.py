from routing.explanation import Explanation, Matched, PassedOver, PolicyNote, Refusal

FULL = Explanation(
    revision=3,
    matched=Matched("r", "s", ("any host", "any method")),
    passed_over=(PassedOver("other", "path /a is not /b"),),
    more_passed_over=2,
    policies=(PolicyNote("auth", "route", "pass", {"level": "public", "nothing": None}),),
    upstream_request={"method": "GET", "url": "http://h/", "host": "h", "headers": {}},
    targets=({"url": "http://h", "chosen": True}, {"url": "http://i", "chosen": False}),
)


def test_json() -> None:
    """The shape is that of the contract, with keys added to it."""
    assert FULL.to_json() == {
        "revision": 3,
        "matched": {"route": "r", "service": "s", "why": ["any host", "any method"]},
        "passed_over": [{"route": "other", "because": "path /a is not /b"}],
        "more_passed_over": 2,
        "policies": [
            {
                "name": "auth",
                "source": "route",
                "outcome": "pass",
                "details": {"level": "public", "nothing": None},
            }
        ],
        "upstream_request": {"method": "GET", "url": "http://h/", "host": "h", "headers": {}},
        "answer": None,
        "targets": [{"url": "http://h", "chosen": True}, {"url": "http://i", "chosen": False}],
        "refusal": None,
    }


def test_details_read_like_a_sentence() -> None:
    """Nested parts and lists without the marks of a programming language."""
    note = PolicyNote(
        "auth", "route", "refuse", {"scopes": ["a", "b"], "refused_for": {"missing": ["b"], "x": None}}
    )
    lines = list(Explanation(1, None, policies=(note,)).lines())
    assert lines[-1] == "policy auth (route): refuse scopes a b, refused_for (missing b)"


def test_json_of_a_refusal() -> None:
    """`matched` is null, and a 405 lists what is allowed."""
    written = Explanation(
        3, None, refusal=Refusal(405, "METHOD_NOT_ALLOWED", "Allowed here: GET.", ("GET",))
    ).to_json()
    assert written["matched"] is None
    assert written["refusal"] == {
        "status": 405,
        "code": "METHOD_NOT_ALLOWED",
        "message": "Allowed here: GET.",
        "allow": ["GET"],
    }
    assert "allow" not in Explanation(3, None, refusal=Refusal(404, "NOT_FOUND", "No.")).to_json()["refusal"]


def test_text() -> None:
    """People read one line for each thing."""
    assert list(FULL.lines()) == [
        "matched: route r → service s",
        "  any host",
        "  any method",
        "policy auth (route): pass level public",
        "upstream: GET http://h/",
        "  Host: h",
        "target: http://h (chosen)",
        "target: http://i",
        "passed over: other: path /a is not /b",
        "passed over: 2 more, further off",
    ]


def test_text_of_a_target_that_registered_itself() -> None:
    """Who did it, and how it stands."""
    target = {"url": "http://h", "chosen": False, "registered_by": "robot", "state": "quarantined"}
    assert list(Explanation(1, FULL.matched, targets=(target,)).lines())[-1] == (
        "target: http://h (registered by robot, quarantined)"
    )


def test_text_of_endpoints_and_refusals() -> None:
    """What is not a route is named for what it is."""
    endpoint = Explanation(3, Matched(None, None, (), "health"))
    assert list(endpoint.lines()) == ["matched: the gateway's own endpoint health"]
    assert endpoint.to_json()["matched"]["builtin"] == "health"
    refused = Explanation(3, None, refusal=Refusal(404, "NOT_FOUND", "No."), answer={"status": 301})
    assert list(refused.lines()) == ["no route matched", "refused: 404 NOT_FOUND: No.", "answer: status 301"]


def test_text_of_targets() -> None:
    """What is not as usual is said."""
    usual = {"url": "http://h", "chosen": False, "weight": 1, "zone": None, "backup": False, "drain": False}
    heavy = {**usual, "weight": 3, "zone": "a", "backup": True, "state": "ejected", "chosen": True}
    assert list(Explanation(1, Matched("r", "s", ()), targets=(usual, heavy)).lines())[1:] == [
        "target: http://h",
        "target: http://h (chosen, weight 3, zone a, backup, ejected)",
    ]
