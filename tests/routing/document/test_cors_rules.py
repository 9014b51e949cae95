"""What the keys of a route's `cors` must be to each other."""

from typing import Any

import pytest

from routing.document.cors_rules import check_cors
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("cors", "found"),
    [
        ({"origins": ["https://a.test"], "credentials": True, "headers": ["authorization"]}, []),
        ({"origins": ["*"], "methods": ["GET"], "expose": ["*"]}, []),
        ({}, []),
        ({"enabled": False, "methods": ["GET"]}, []),
        ({"origins": []}, []),
        (
            {"origins": ["*"], "credentials": True},
            ["E022 cors.origins: * and credentials exclude each other"],
        ),
        (
            {
                "origins": ["https://a.test"],
                "credentials": True,
                "headers": ["*"],
                "methods": ["*"],
                "expose": ["*"],
            },
            ["E022 cors.methods", "E022 cors.headers", "E022 cors.expose"],
        ),
        ({"origins": ["*", "https://a.test"]}, ["W005 cors.origins: * lets all origins in"]),
        (
            {"origins": ["https://a.test", "https://a.test"]},
            ['E032 cors.origins[1]: "https://a.test" is there'],
        ),
        ({"methods": ["GET"]}, ["E036 cors.origins: says which origins may call"]),
        ({"credentials": True}, ["E036 cors.origins: says which origins may call"]),
        ("*", []),
        ({"origins": "*", "credentials": "yes"}, []),
    ],
)
def test_keys_of_cors(cors: Any, found: list[str]) -> None:
    """With credentials a browser takes * for a name; wrong types are somebody else's to judge."""
    reported = lines(check_cors({}, cors))

    assert len(reported) == len(found), reported
    assert all(line.startswith(start) for line, start in zip(reported, found, strict=True))
