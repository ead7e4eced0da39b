"""Questions to the list of accounts are taken strictly."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.api.query import Query, QueryError, parse_query
from nats_idle_exporter.removal.dossier import Removability


def test_nothing_asked_is_everything() -> None:
    """Without parameters there is no filter, and a part has a hundred accounts."""
    assert parse_query([]) == Query(limit=100)


def test_every_parameter() -> None:
    """All parameters are taken; what looks like a null is a word."""
    query = parse_query(
        [
            ("system", "null"),
            ("account", "a/b"),
            ("verdict", "inactive"),
            ("owner", ""),
            ("removability", "safe"),
            ("limit", "1000"),
            ("cursor", "de%2Ffault/a%20b~"),
        ]
    )

    assert query == Query(
        system="null",
        account="a/b",
        verdict=Verdict.INACTIVE,
        owner="",
        removability=Removability.SAFE,
        limit=1000,
        cursor="de%2Ffault/a%20b~",
    )


WHOLE = 'limit: expected a whole number from 1 to 1000, found "{}"'
UNKNOWN = (
    "expected parameters of system, account, verdict, owner, removability, limit,"
    ' cursor, found "Owner\\x1b"'
)
CURSOR = 'cursor: expected a next_cursor of an earlier answer, found "{}"'


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("limit", "0")], WHOLE.format("0")),
        ([("limit", "1001")], WHOLE.format("1001")),
        ([("limit", "-1")], WHOLE.format("-1")),
        ([("limit", "1e2")], WHOLE.format("1e2")),
        ([("limit", "")], WHOLE.format("")),
        ([("limit", "٣")], WHOLE.format("٣")),
        ([("limit", "9" * 100)], WHOLE.format("9" * 77 + "...")),
        ([("cursor", "")], CURSOR.format("")),
        ([("cursor", "a b/c")], CURSOR.format("a b/c")),
        ([("cursor", "a/b/c")], CURSOR.format("a/b/c")),
        (
            [("removability", "SAFE")],
            'removability: expected one of safe, blocked, unknown, found "SAFE"',
        ),
        ([("owner", "a"), ("owner", "a")], "owner: expected once, found again"),
        (
            [("Owner\x1b", "a")],
            UNKNOWN,
        ),
    ],
)
def test_mistakes(pairs: list[tuple[str, str]], words: str) -> None:
    """A mistake is refused with where, what was expected, and what was found."""
    with pytest.raises(QueryError) as caught:
        parse_query(pairs)

    assert str(caught.value) == words


def test_a_verdict_that_does_not_exist() -> None:
    """The verdicts that exist are named."""
    with pytest.raises(QueryError, match=r"^verdict: expected one of active, .*found"):
        parse_query([("verdict", "idle")])
