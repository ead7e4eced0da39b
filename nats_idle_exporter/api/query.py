"""What can be asked of the list of accounts, as data; strict, with clear errors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.removal.dossier import Removability
from nats_idle_exporter.text import one_line, shorten

LIMIT = 100
LONGEST_PART = 1000
"""Accounts of one answer: it is encoded at once, and that must not take long."""

_CURSOR = r"^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$"

_NUMBER = re.compile("[0-9]{1,9}")
_EXPECTED = {
    "verdict": f"one of {', '.join(Verdict)}",
    "removability": f"one of {', '.join(Removability)}",
    "limit": f"a whole number from 1 to {LONGEST_PART}",
    "cursor": "a next_cursor of an earlier answer",
}


class QueryError(ValueError):
    """A question that cannot be answered; the text says where, and why."""


class Query(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which accounts; None is not asked for."""

    system: Annotated[str, Meta(description="Of this system only")] | None = None
    account: (
        Annotated[str, Meta(description="With this id, or with this name")] | None
    ) = None
    verdict: Verdict | None = None
    owner: (
        Annotated[str, Meta(description='Of this owner; "" for those that have none')]
        | None
    ) = None
    removability: Removability | None = None
    limit: Annotated[
        int, Meta(ge=1, le=LONGEST_PART, description="At most so many accounts")
    ] = LIMIT
    cursor: (
        Annotated[
            str,
            Meta(pattern=_CURSOR, description="Those behind this next_cursor"),
        ]
        | None
    ) = None


def parse_query(pairs: Iterable[tuple[str, str]]) -> Query:
    """Return the question that the parameters of a URL ask.

    Raises:
        QueryError: one is unknown, given twice, or cannot be used.
    """
    given: dict[str, str | int] = {}
    for name, text in pairs:
        if name not in Query.__struct_fields__:
            names = ", ".join(Query.__struct_fields__)
            raise QueryError(f"expected parameters of {names}, found {_shown(name)}")
        if name in given:
            raise QueryError(f"{name}: expected once, found again")
        is_number = name == "limit" and _NUMBER.fullmatch(text)
        given[name] = int(text) if is_number else text
    try:
        return msgspec.convert(given, Query)
    except msgspec.ValidationError as error:
        raise _refused(given, str(error)) from error


def _refused(given: dict[str, str | int], message: str) -> QueryError:
    """Return the error in our words; the decoder's tell no value."""
    name = message.rpartition("$.")[2].rstrip("`")
    return QueryError(
        f"{name}: expected {_EXPECTED[name]}, found {_shown(given[name])}"
    )


def _shown(text: object) -> str:
    return f'"{shorten(one_line(str(text)))}"'
