"""What the landing page says, and that strangers cannot change how."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from nats_idle_exporter import __version__
from nats_idle_exporter.activity import (
    Evidence,
    EvidenceKind,
    Inventory,
    Peer,
    Reason,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.metrics import Publication, ReloadStatus
from nats_idle_exporter.removal.registry import Entry
from nats_idle_exporter.web.pages import ACCOUNTS_SHOWN, render_index
from nats_idle_exporter.web.templating import CONTENT_SECURITY_POLICY
from tests.metrics.builders import (
    a_lookup,
    a_publication,
    a_server,
    a_snapshot,
    a_source,
    a_system,
    an_account,
    an_endpoint,
    naming,
    of_accounts,
)
from tests.removal.cases import NOW
from tests.web.reading import Document

ENDPOINTS, ACCOUNTS, INVENTORY, DISCOVERY = 0, 1, 1, 1
HOSTILE = "<script>alert('x')</script>\"&\u202e{{7*7}}"
NOTHING = "\u2013"
SHOWN = "<script>alert('x')</script>\"&\\u202e{{7*7}}"


def read(publication: Publication | None, path: str = "/metrics") -> Document:
    """Return the landing page, taken apart."""
    return Document(render_index(publication, path))


class TestStart:
    """Before anything is known."""

    @pytest.mark.parametrize("publication", [None, a_publication(None)])
    def test_it_says_that_nothing_can_be_said(
        self, publication: Publication | None
    ) -> None:
        """Without a cycle there are no tables, only the version and the links."""
        page = read(publication)

        assert "No cycle has ended yet" in page.text
        assert f"Version {__version__}" in page.text
        assert page.rows == []

    def test_links(self) -> None:
        """The page leads to the metrics, wherever they are, and to health."""
        page = read(None, '/m"<x>')

        links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
        assert links == [
            '/m"<x>',
            "/config",
            "/api/v1/openapi.json",
            "/-/healthy",
            "/-/ready",
        ]


class TestWatching:
    """Whether the watching is complete."""

    def test_complete(self) -> None:
        """A fresh system without unwatched servers is called completely watched."""
        page = read(a_publication(a_snapshot()))

        assert "Every server watched" in page.text
        assert "All servers watched to 2027-01-15 08:00:00 UTC." in page.flat_text()

    def test_unwatched_servers_are_named(self) -> None:
        """Each server that holds verdicts back is named, with how it is known."""
        unwatched = [
            Unwatched(UnwatchedKind.ROUTE, "NPEER"),
            Unwatched(UnwatchedKind.ENDPOINT, "http://down:8222"),
        ]
        system = a_system(unwatched=unwatched)

        text = read(a_publication(a_snapshot({"default": system}))).flat_text()

        assert "2 unwatched" in text
        assert "http://down:8222 (endpoint that does not answer)" in text
        assert "NPEER (server known by route, not polled)" in text
        assert "Every server watched" not in text

    def test_unwatched_servers_are_called_by_name(self) -> None:
        """A name leads, where one is known; what else helps to find it follows."""
        unwatched = [
            Unwatched(UnwatchedKind.DISPLACED, "NOLD"),
            Unwatched(UnwatchedKind.GATEWAY, "NFAR"),
            Unwatched(UnwatchedKind.ROUTE, "NPEER"),
        ]
        peers = {
            "NOLD": Peer("NOLD", "east"),
            "NFAR": Peer("", "west", "10.0.1.3"),
            "NPEER": Peer("n3", "east", "10.0.0.3"),
        }
        system = a_system(unwatched=unwatched)
        snapshot = naming(a_snapshot({"default": system}), peers)

        text = read(a_publication(snapshot)).flat_text()

        assert (
            "NOLD (server replaced at its endpoint, end not shown; cluster east)"
        ) in text
        assert (
            "NFAR (server known by gateway, not polled; seen at 10.0.1.3, cluster west)"
        ) in text
        assert (
            "n3 (server known by route, not polled;"
            " id NPEER, seen at 10.0.0.3, cluster east)"
        ) in text

    def test_outdated(self) -> None:
        """A system that was not read lately is not called completely watched."""
        system = a_system(is_fresh=False)

        text = read(a_publication(a_snapshot({"default": system}))).flat_text()

        assert "Outdated" in text
        assert "that is too long ago" in text
        assert "Every server watched" not in text

    def test_never_read(self) -> None:
        """A system of which a server was never read proves nothing, and says so."""
        system = a_system(is_fresh=False, watched_to_at=None)

        text = read(a_publication(a_snapshot({"default": system}))).flat_text()

        assert "Not every server was read yet, so nothing is proven." in text

    def test_endpoints_that_mislead_are_named(self) -> None:
        """Doubled endpoints and load balancers are shown."""
        system = a_system(
            duplicates={"NSAME": ("http://a", "http://b")}, load_balanced=("http://lb",)
        )

        text = read(a_publication(a_snapshot({"default": system}))).flat_text()

        assert "lead to one server, NSAME: http://a, http://b." in text
        assert "http://lb leads to several servers in turn" in text

    def test_a_failed_reload_is_shown(self) -> None:
        """A configuration that could not be loaded is not hidden."""
        reload = ReloadStatus(is_successful=False, last_success_at=NOW)

        failed = read(a_publication(a_snapshot(), reload=reload))
        good = read(a_publication(a_snapshot()))

        assert "Configuration not loaded" in failed.text
        assert "Configuration not loaded" not in good.text


def test_endpoints_table() -> None:
    """Each endpoint shows its state, its server, and its last error."""
    endpoints = [
        an_endpoint(
            "http://b",
            is_up=False,
            last_success_at=None,
            last_error="timeout: no answer within 10s",
        ),
        an_endpoint("http://a"),
    ]
    system = a_system(servers=(a_server("http://a", nats_cluster=""),))

    page = read(a_publication(a_snapshot({"default": system}, endpoints)))

    assert page.columns(ENDPOINTS, *range(8)) == [
        (
            "http://a",
            "up",
            "default",
            "n1",
            NOTHING,
            "2.15.1",
            "2027-01-15 07:59:59 UTC",
            NOTHING,
        ),
        (
            "http://b",
            "down",
            "default",
            NOTHING,
            NOTHING,
            NOTHING,
            "never",
            "timeout: no answer within 10s",
        ),
    ]


def test_inventory_table() -> None:
    """Each source has a row: whether it was read, what it lists, what is wrong."""
    sources = [
        a_source("resolver_dir:/jwt", accounts=1234),
        a_source("claims:nats://h", is_up=False, skipped=2, last_error="no answer"),
    ]
    page = read(a_publication(a_snapshot(inventories=sources)))

    assert page.columns(INVENTORY, *range(6)) == [
        (
            "claims:nats://h",
            "failingits last list holds",
            "default",
            "5",
            "2",
            "no answer",
        ),
        ("resolver_dir:/jwt", "read", "default", "1,234", "0", NOTHING),
    ]


def test_discovery_table() -> None:
    """Each source of endpoints has a row: whether it was told, and how many."""
    lookups = [
        a_lookup("dns+http://nats:8222", endpoints=1234),
        a_lookup("file_sd:<b>", is_up=False, endpoints=0, last_error="no file"),
    ]
    page = read(a_publication(a_snapshot(discoveries=lookups)))

    assert page.columns(DISCOVERY, *range(5)) == [
        ("dns+http://nats:8222", "told", "default", "1,234", NOTHING),
        ("file_sd:<b>", "failingwhat it told last holds", "default", "0", "no file"),
    ]


def test_without_an_inventory_there_is_no_table() -> None:
    """Nothing is said of what nobody configured."""
    page = read(a_publication(a_snapshot()))

    assert len(page.rows) == 2
    assert "Inventory" not in page.text
    assert "Discovery" not in page.text


@pytest.mark.parametrize(
    ("inventory", "words"),
    [
        (Inventory.SERVERS_ONLY, "not in the inventory; a server still has it"),
        (Inventory.INVENTORY_ONLY, "in the inventory only; no server has loaded it"),
        (Inventory.BOTH, ""),
        (Inventory.NONE, ""),
    ],
)
def test_who_lists_an_account(inventory: Inventory, words: str) -> None:
    """Zombies and accounts that nobody loaded are told in plain words."""
    page = read(of_accounts(an_account(inventory=inventory)))

    assert page.columns(ACCOUNTS, 0) == [(f"ORDERS{words}",)]


class TestAccounts:
    """The accounts table."""

    def test_a_row(self) -> None:
        """A row tells verdict and reason, proof, idle time, evidence and owner."""
        view = an_account(
            "AID",
            name="billing",
            verdict=Verdict.UNKNOWN,
            reason=Reason.JETSTREAM_OUTDATED,
            is_observed=False,
            last_evidence=Evidence(EvidenceKind.RECEIVED, "N", NOW, NOW),
            connections=2,
            leafnodes=1,
        )
        publication = a_publication(
            a_snapshot(
                {"default": a_system(view)},
                entries=lambda account, name: Entry(
                    owner=f"{account}/{name}", environment="prod"
                ),
            )
        )

        page = read(publication)

        assert page.columns(ACCOUNTS, *range(9)) == [
            (
                "billingAID",
                "unknownits JetStream was not read lately, or not wholly",
                "no",
                "1d 1h",
                "1d",
                "2027-01-15 08:00:00 UTCreceived traffic",
                "21 leafnode",
                "AID/billing, prod",
                "default",
            )
        ]

    def test_an_account_without_evidence_name_or_owner(self) -> None:
        """What is not known is said, not left blank."""
        page = read(of_accounts(an_account("", last_evidence=None)))

        assert page.columns(ACCOUNTS, 0, 5, 7) == [
            ("(empty name)", "no use seen", NOTHING),
        ]

    def test_order(self) -> None:
        """Inactive accounts come first, then the longest idle, over all systems."""
        active = an_account("ACTIVE", verdict=Verdict.ACTIVE, idle_seconds=9e9)
        short, long = an_account("SHORT"), an_account("LONG", idle_seconds=9e7)
        snapshot = a_snapshot({"b": a_system(active, long), "a": a_system(short)})

        page = read(a_publication(snapshot))

        assert page.columns(ACCOUNTS, 0, 8) == [
            ("LONG", "b"),
            ("SHORT", "a"),
            ("ACTIVE", "b"),
        ]

    @pytest.mark.parametrize(
        ("extra", "caption"),
        [
            (0, "1000 accounts, inactive ones first"),
            (234, "The first 1,000 of 1,234 accounts"),
        ],
    )
    def test_the_table_is_capped(self, extra: int, caption: str) -> None:
        """At most 1,000 accounts are shown, and the page says how many more exist."""
        views = [
            an_account(f"A{i:04}", verdict=Verdict.ACTIVE)
            for i in range(ACCOUNTS_SHOWN + extra)
        ]

        page = read(of_accounts(*views))

        assert len(page.rows[ACCOUNTS]) == ACCOUNTS_SHOWN
        assert caption in page.flat_text()
        assert (f"{extra} more are on the" in page.flat_text()) == bool(extra)


def hostile_publication() -> Publication:
    """Return a publication in which every word from outside is hostile."""
    view = an_account(HOSTILE + "id", name=HOSTILE)
    system = a_system(
        view,
        unwatched=[Unwatched(UnwatchedKind.ROUTE, HOSTILE)],
        servers=(a_server(HOSTILE, server_name=HOSTILE, nats_cluster=HOSTILE),),
        duplicates={HOSTILE: (HOSTILE, HOSTILE)},
        load_balanced=(HOSTILE,),
    )
    endpoint = an_endpoint(HOSTILE, last_error=HOSTILE, system=HOSTILE)
    entry = Entry(owner=HOSTILE, team=HOSTILE, environment=HOSTILE)
    return a_publication(
        naming(
            a_snapshot({HOSTILE: system}, [endpoint], entries=lambda *_: entry),
            {HOSTILE: Peer(f"{HOSTILE}!", HOSTILE, HOSTILE)},
        )
    )


class TestSafety:
    """Hostile words are shown, never obeyed."""

    def test_words_from_outside_are_text(self) -> None:
        """No hostile word makes an element or moves text; all of them are shown."""
        html = render_index(hostile_publication(), "/metrics")

        page = Document(html)
        assert "script" not in {tag for tag, _ in page.tags}
        assert "\u202e" not in html
        assert page.columns(ACCOUNTS, 0) == [(f"{SHOWN}{SHOWN}id",)]
        assert page.columns(ENDPOINTS, 0, 2, 3, 4, 7) == [(SHOWN,) * 5]
        assert f"{SHOWN}! (server known by route, not polled; id {SHOWN}" in page.text
        assert page.columns(ACCOUNTS, 7, 8) == [(f"{SHOWN}, {SHOWN}, {SHOWN}", SHOWN)]

    def test_names_keep_their_direction_to_themselves(self) -> None:
        """A name in a right-to-left script is isolated from the text around it."""
        html = render_index(of_accounts(an_account("مرحبا")), "/metrics")

        assert "<bdi>مرحبا</bdi>" in html

    def test_the_policy_allows_the_page_and_nothing_else(self) -> None:
        """The one style is allowed by its hash; no attribute carries code or style."""
        html = render_index(hostile_publication(), "/metrics")

        [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
        assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
        attributes = {name for _, found in Document(html).tags for name in found}
        assert {"style", "src", "onclick", "onload"}.isdisjoint(attributes)
