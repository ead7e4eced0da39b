"""A snapshot is told whole, in parts, and by account."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.activity import (
    Evidence,
    EvidenceKind,
    Peer,
    ServerView,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.api import model, watch
from nats_idle_exporter.api.book import Book, UnknownError
from nats_idle_exporter.api.query import Query, parse_query
from nats_idle_exporter.removal.dossier import (
    Check,
    Dossier,
    Outcome,
    Removability,
    Stage,
)
from nats_idle_exporter.removal.facts import AccountFacts, Holdings, Jwt, Limits, Role
from nats_idle_exporter.removal.registry import Decommission, Entry
from tests.api.builders import HOSTILE, Known, hostile_snapshot, knowing, known
from tests.metrics.builders import (
    URL,
    a_lookup,
    a_snapshot,
    a_source,
    a_system,
    an_account,
    an_endpoint,
    naming,
)
from tests.removal.cases import NOW, an_importer


def ids(answer: model.Accounts) -> list[tuple[str, str]]:
    """Return who is in an answer."""
    return [(each.system, each.account) for each in answer.accounts]


def read_all(book: Book, **asked: Any) -> list[tuple[str, str]]:
    """Return who is in all parts of an answer, each asked for as a client would."""
    found: list[tuple[str, str]] = []
    query = Query(**asked)
    while True:
        answer = book.accounts(query)
        assert len(answer.accounts) <= query.limit
        found += ids(answer)
        if answer.next_cursor is None:
            return found
        assert answer.next_cursor != query.cursor
        pairs = [("limit", str(query.limit)), ("cursor", answer.next_cursor)]
        query = msgspec.structs.replace(query, cursor=parse_query(pairs).cursor)


class TestRow:
    """One account in short."""

    def test_an_account_that_may_go(self) -> None:
        """All that the proof, the registry and the servers tell is there."""
        account = known(name="orders", entry=_owned(), stage=Stage(NOW - 5))

        [row] = Book(knowing(default=[account])).accounts(Query()).accounts

        assert row == model.Account(
            system="default",
            account="ORDERS",
            account_name="orders",
            mode="config",
            verdict=Verdict.INACTIVE,
            reason=account.view.reason,
            is_observed=True,
            idle_seconds=90_000.0,
            threshold_seconds=86_400.0,
            quiet_since_at=NOW - 90_000,
            last_activity=model.Evidence(
                kind=EvidenceKind.SENT, server_id="NSERVER", at=NOW - 90_000
            ),
            connections=0,
            leafnodes=0,
            inventory=account.view.inventory,
            owner="o",
            team="t",
            environment="e",
            holdings=row.holdings,
            importers=0,
            importers_unknown=0,
            disabled_at=NOW - 5,
            removability=Removability.SAFE,
            blockers=(),
        )
        assert row.holdings is not None
        assert row.holdings.as_of_at == NOW - 60

    def test_what_stands_in_the_way(self) -> None:
        """Blockers are the checks that do not pass, with how many things they count."""
        holdings = Holdings(streams=3, bytes=7, as_of_at=NOW)
        facts = {
            "holdings": holdings,
            "importers": (an_importer(), an_importer("B")),
            "limits": None,
        }

        [row] = Book(knowing(default=[known(facts=facts)])).accounts(Query()).accounts

        assert row.removability is Removability.BLOCKED
        assert row.importers == 2
        assert [(b.check, b.outcome, b.number) for b in row.blockers] == [
            (Check.STREAMS, Outcome.FAIL, 3),
            (Check.IMPORTERS, Outcome.FAIL, 2),
            (Check.CREDENTIALS, Outcome.UNKNOWN, 1),
        ]

    def test_what_nobody_told_is_null_and_never_safe(self) -> None:
        """An account of which the proof alone knows has no facts."""
        view = an_account(last_evidence=None)
        nothing = AccountFacts(account="ORDERS", name="ORDERS", is_operator_mode=False)

        [row] = Book(knowing(default=[Known(view, nothing)])).accounts(Query()).accounts

        assert row.removability is Removability.UNKNOWN
        assert (row.holdings, row.importers_unknown) == (None, None)
        assert row.last_activity is None

    def test_numbers_that_json_cannot_tell_are_null(self) -> None:
        """What was never proven has no moment, and the answer stays JSON."""
        view = an_account(quiet_since_at=-math.inf)
        book = Book(a_snapshot({"default": a_system(view)}))

        answer = book.accounts(Query())

        assert answer.accounts[0].quiet_since_at is None
        assert msgspec.json.decode(
            msgspec.json.encode(answer), type=model.Accounts
        ) == (answer)


def _owned() -> Entry:
    return Entry(
        owner="o",
        team="t",
        environment="e",
        decommission=Decommission(approved_by="boss"),
    )


class TestList:
    """Which accounts, and in which parts."""

    def test_filters(self) -> None:
        """Each filter leaves who fits it, by id or by name."""
        book = Book(
            knowing(
                a=[
                    known("A1", name="one", entry=Entry(owner="x")),
                    known("A2", verdict=Verdict.ACTIVE),
                ],
                b=[known("A1"), known("B1", name="A1", entry=Entry())],
            )
        )

        assert read_all(book, system="b") == [("b", "A1"), ("b", "B1")]
        assert read_all(book, account="one") == [("a", "A1")]
        assert read_all(book, account="A1") == [("a", "A1"), ("b", "A1"), ("b", "B1")]
        assert read_all(book, verdict=Verdict.ACTIVE) == [("a", "A2")]
        assert read_all(book, owner="x") == [("a", "A1")]
        assert read_all(book, owner="") == [("b", "B1")]
        safe = Removability.SAFE
        assert read_all(book, removability=safe, limit=1) == [("b", "A1")]
        assert read_all(book, verdict=Verdict.ACTIVE, removability=safe) == []

    def test_shortcuts_change_nothing(self) -> None:
        """Who is not examined would not have been found, whatever is known of them."""
        facts: list[dict[str, Any]] = [
            {},
            {"limits": None},
            {"importers_unknown": 1, "told_at": None},
            {"holdings": None, "roles": frozenset(Role)},
        ]
        doubtful: dict[str, Any] = {"is_observed": False, "idle_seconds": 1.0}
        everybody = [
            known(f"{verdict}{number}", verdict=verdict, facts=told, **observed)
            for verdict in (*Verdict,)
            for observed in ({}, doubtful)
            for number, told in enumerate(facts, 4 * bool(observed))
        ]
        snapshot = knowing(default=everybody)

        for asked in Removability:
            assert read_all(Book(snapshot), removability=asked) == [
                ("default", account)
                for account in sorted(snapshot.dossiers["default"])
                if snapshot.dossiers["default"][account].removability is asked
            ]

    def test_owners_by_tags(self) -> None:
        """Where no rule names an owner, the account's JWT does."""
        jwt = Jwt(tags=("owner:ann",))
        book = Book(
            knowing(
                default=[
                    known(
                        "A", entry=Entry(), facts={"jwt": jwt}, is_operator_mode=True
                    ),
                    known("B"),
                ]
            )
        )

        assert read_all(book, owner="ann") == [("default", "A")]
        [row, _] = book.accounts(Query()).accounts
        assert row.owner == "ann"

    def test_a_system_that_does_not_exist(self) -> None:
        """A misspelt system is no system without accounts."""
        with pytest.raises(UnknownError, match="no such system"):
            Book(knowing(default=[])).accounts(Query(system="defualt"))

    @given(
        st.dictionaries(st.text(max_size=2), st.sets(st.text(max_size=3)), max_size=3),
        st.integers(1, 4),
    )
    def test_parts_make_the_whole(
        self, systems: dict[str, set[str]], limit: int
    ) -> None:
        """Whatever the names and the size of a part, each account is told once."""
        views = {
            name: a_system(*map(an_account, accounts))
            for name, accounts in systems.items()
        }
        book = Book(a_snapshot(views))

        found = read_all(book, limit=limit)

        assert found == sorted(
            (s, a) for s, accounts in systems.items() for a in accounts
        )

    def test_who_comes_between_two_parts_disturbs_nobody(self) -> None:
        """A cursor names a place: none is told twice, none is left out."""
        first = Book(knowing(default=[known("B"), known("D")]))
        cursor = first.accounts(Query(limit=1)).next_cursor

        later = Book(knowing(default=[known("A"), known("C"), known("D")]))

        assert ids(later.accounts(Query(cursor=cursor))) == [
            ("default", "C"),
            ("default", "D"),
        ]

    def test_no_more_is_looked_at_than_is_told(self) -> None:
        """A part costs its own accounts, however many there are."""
        snapshot = knowing(default=[known(str(number)) for number in range(50)])
        asked: list[str] = []

        class Counting:
            def __getitem__(self, account: str) -> Dossier:
                asked.append(account)
                return snapshot.dossiers["default"][account]

        counting: Any = Counting()
        Book(replace(snapshot, dossiers={"default": counting})).accounts(Query(limit=5))

        assert len(asked) == 6


class TestDetail:
    """All that is known of one account."""

    @pytest.mark.parametrize("word", HOSTILE)
    def test_hostile_words_come_through(self, word: str) -> None:
        """Every word is told as it is, and the JSON can be read back."""
        book = Book(hostile_snapshot())

        detail = book.detail("default", word)
        body = msgspec.json.encode(detail)

        assert msgspec.json.decode(body, type=model.AccountDetail) == detail
        assert detail.account.account == word
        assert detail.facts.jwt is not None
        assert detail.facts.jwt.description == word
        assert detail.facts.importers[0].imports[0].subject == word
        assert detail.registry.exemption is not None
        assert detail.registry.exemption.reason == word
        assert detail.stage.reactivated_by == word

    def test_the_checklist(self) -> None:
        """Each check is told once, in order, with its numbers and its source."""
        facts = {"limits": Limits(-1, 0), "importers_unknown": None}
        book = Book(knowing(default=[known(facts=facts)]))

        detail = book.detail("default", "ORDERS")

        assert [item.check for item in detail.checklist] == list(Check)
        assert all(item.detail and item.source for item in detail.checklist)
        assert detail.manual
        assert detail.facts.importers_unknown is None
        assert detail.facts.limits is not None
        assert detail.facts.limits.connections == -1

    def test_the_way_out_knows_the_servers(self) -> None:
        """The commands are for this account, and checks for this system's servers."""
        snapshot = replace(
            knowing(default=[known()]),
            endpoints=(an_endpoint(), an_endpoint("http://other:8222", system="x")),
        )

        way = Book(snapshot).detail("default", "ORDERS").way_out

        texts = [command.text for step in way.steps for command in step.checks]
        assert any(URL in text for text in texts)
        assert not any("other:8222" in text for text in texts)

    @pytest.mark.parametrize("account", ["", "ORDER", "ORDERSS", "orders", "Z"])
    def test_who_is_not_there(self, account: str) -> None:
        """An account that has no verdict is not known."""
        book = Book(knowing(default=[known("ORDERS", name="orders")]))

        with pytest.raises(UnknownError, match="no such account in this system"):
            book.detail("default", account)
        with pytest.raises(UnknownError, match="no such system"):
            book.detail("elsewhere", "ORDERS")


def test_endpoints() -> None:
    """Systems, endpoints and sources are told with how they are watched."""
    system = a_system(
        an_account(),
        unwatched=[Unwatched(UnwatchedKind.ROUTE, "NPEER")],
        servers=(ServerView(URL, "N1", "n1", "east", "2.15.1"), _nobody("http://b")),
        watched_to_at=None,
        is_fresh=False,
    )
    endpoints = [an_endpoint("http://c"), an_endpoint("http://b"), an_endpoint()]
    sources = [a_source("z", is_up=False, last_error="gone"), a_source("a")]

    lookups = [a_lookup("z"), a_lookup("a", is_up=False, last_error="no such name")]

    told = watch.endpoints(
        naming(
            a_snapshot({"default": system}, endpoints, sources, lookups),
            {"NPEER": Peer("n2", "east", "10.0.0.2")},
        )
    )

    assert told.as_of_at == NOW
    [only] = told.systems
    assert (only.watched_to_at, only.is_fresh) == (None, False)
    assert only.accounts["inactive"] == 1
    [peer] = only.unwatched
    assert (peer.kind, peer.who) == ("route", "NPEER")
    assert (peer.server_name, peer.nats_cluster, peer.ip) == ("n2", "east", "10.0.0.2")
    assert [each.endpoint for each in told.endpoints] == [URL, "http://b", "http://c"]
    assert told.endpoints[0].server == model.Server(
        server_id="N1", server_name="n1", nats_cluster="east", version="2.15.1"
    )
    assert told.endpoints[1].server is None
    assert told.endpoints[2].server is None
    assert told.endpoints[0].errors == {"timeout": 2, "unreachable": 0}
    assert [(s.source, s.is_up) for s in told.inventories] == [
        ("a", True),
        ("z", False),
    ]
    assert told.discoveries == (
        model.DiscoverySource(
            system="default",
            source="a",
            is_up=False,
            endpoints=3,
            last_error="no such name",
        ),
        model.DiscoverySource(
            system="default", source="z", is_up=True, endpoints=3, last_error=""
        ),
    )


def _nobody(endpoint: str) -> ServerView:
    return ServerView(endpoint, "", "", "", "")


def test_evidence_without_a_server() -> None:
    """What only a stamp showed has no server; that is told as it is."""
    view = an_account(last_evidence=Evidence(EvidenceKind.JETSTREAM, "", NOW, NOW))
    book = Book(a_snapshot({"default": a_system(view)}))

    [row] = book.accounts(Query()).accounts

    assert row.last_activity == model.Evidence(
        kind=EvidenceKind.JETSTREAM, server_id="", at=NOW
    )
