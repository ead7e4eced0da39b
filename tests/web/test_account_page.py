"""The page of one account: all that is known, for people."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from nats_idle_exporter.activity import Inventory, Reason, Verdict
from nats_idle_exporter.api.book import Book
from nats_idle_exporter.api.facts import HintedCause
from nats_idle_exporter.api.query import Query
from nats_idle_exporter.removal.dossier import Check, Hint, Removability, Stage
from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    Copy,
    Holdings,
    Import,
    Importer,
    Jwt,
    Limits,
    Role,
    Told,
)
from nats_idle_exporter.removal.registry import Entry
from nats_idle_exporter.web import accountwords
from nats_idle_exporter.web.accountpage import render_account
from nats_idle_exporter.web.templating import account_path
from tests.api.builders import (
    HOSTILE,
    Known,
    hostile_entry,
    hostile_snapshot,
    knowing,
    known,
)
from tests.metrics.builders import a_publication, a_snapshot, a_system, an_account
from tests.removal.cases import NOW, an_importer
from tests.web.reading import Document
from tests.web.test_app import serving


def page_of(account: Known, prefix: str = "") -> Document:
    """Return the page of an account, taken apart."""
    book = Book(knowing(default=[account]))
    return Document(
        render_account(book.detail("default", account.view.account), prefix)
    )


def facts_of(page: Document) -> dict[str, str]:
    """Return the rows that have a name and a value."""
    rows = [row for table in page.rows for row in table if len(row) == 2]
    return {name: " ".join(value.split()) for name, value in rows}


def links(page: Document) -> list[str]:
    """Return where a page leads, without the places on itself."""
    found = [attributes["href"] or "" for tag, attributes in page.tags if tag == "a"]
    return [link for link in found if not link.startswith("#")]


def test_an_account_that_may_go() -> None:
    """The verdict and its reason come first, then what it stands on."""
    page = page_of(known("AID", name="orders"))

    text = page.flat_text()
    assert "orders AID, an account of the system default." in text
    assert (
        "inactive Nobody used it for 1d 1h, since 2027-01-14 07:00:00 UTC: every server"
        " was watched, and its threshold is 1d. Its last use was seen"
        " 2027-01-14 07:00:00 UTC: sent traffic."
    ) in text
    assert "Removal: safe every check passes." in text
    rows = facts_of(page)
    assert rows["Last use seen"] == (
        "2027-01-14 07:00:00 UTC: sent traffic, on server NSERVER"
    )
    assert rows["Proven quiet since"] == "2027-01-14 07:00:00 UTC"
    assert rows["Backed by watching up to now"] == "yes"
    assert rows["Owner"] == "o"
    assert rows["Messages"] == "0, 0 bytes"
    assert links(page) == ["/", "/api/v1/accounts/default/AID"]


def test_the_checklist() -> None:
    """Each check has a row: what was looked for, how it stands, numbers, by whom."""
    facts = {"holdings": None, "importers": (an_importer(),)}
    page = page_of(known(facts=facts))

    [checks] = [table for table in page.rows if len(table) == len(Check)]
    outcomes = {row[0].strip(): row[1].strip() for row in checks}
    assert list(outcomes) == [accountwords.CHECKS[check] for check in Check]
    assert outcomes["Nobody imports from it"] == "fail"
    assert outcomes["No streams, no consumers"] == "unknown"
    assert outcomes["Nobody is connected"] == "pass"
    assert all(row[2].strip() and row[3].strip() for row in checks)
    assert page.text.count("☐") > 3
    assert "Not known: not every server told all of its JetStream." in page.text


def test_what_stands_in_the_way_comes_first() -> None:
    """The verdict names the checks that do not pass, and leads to them."""
    facts = {"holdings": None, "importers": (an_importer(),)}
    blocked = page_of(known(facts=facts)).flat_text()
    safe = page_of(known()).flat_text()

    assert (
        "Removal: blocked something speaks against it. Not passed: 3 of 11 checks"
        " (streams, reserved, importers)."
    ) in blocked
    assert "Not passed" not in safe


def test_places_on_the_page() -> None:
    """Each link to a place on the page finds it."""
    page = page_of(known(facts={"holdings": None}))

    attributes = [found for _, found in page.tags]
    places = {found["id"] for found in attributes if "id" in found}
    wanted = {found["href"] or "" for found in attributes if "href" in found}
    jumps = {link[1:] for link in wanted if link.startswith("#")}
    assert {"checklist", "way-out"} <= jumps <= places


def test_one_step_is_next() -> None:
    """Only the first step of the phase that comes next is marked."""
    fresh = page_of(known(facts={"limits": Limits(UNLIMITED, UNLIMITED)}))
    shut = page_of(known(stage=Stage(NOW - 60, NOW - 30, 1, NOW - 90, "sent")))

    assert "1. Let nobody connect any more disable next" in fresh.flat_text()
    assert fresh.text.count(" next\n") == shut.text.count(" next\n") == 1
    assert "delete next" in shut.flat_text()
    assert facts_of(shut)["Came back into use"].startswith("1 time, ")


def test_who_depends_on_it() -> None:
    """Importers have a row with a link, copies a line; what is not known is said."""
    importers = (
        an_importer("SHOP/1"),
        Importer("GONE", "", "", (Import("A", "a.>", "service"),), Told.INVENTORY),
    )
    facts = {
        "importers": importers,
        "importers_unknown": 1234,
        "copies": (
            Copy("B", "b", "MIRROR", is_mirror=True),
            Copy("C", "", "SOURCED", is_mirror=False),
        ),
        "are_copies_known": False,
    }
    page = page_of(known(facts=facts), "/idle")

    text = page.flat_text()
    [rows] = [table for table in page.rows if len(table) == 2 and len(table[0]) == 4]
    assert [[" ".join(cell.split()) for cell in row] for row in rows] == [
        ["SHOP/1", "active", "orders.> (stream)", "servers and inventory"],
        ["GONE", "none", "a.> (service)", "inventory only"],
    ]
    assert "/idle/accounts/default/SHOP%2F1" in links(page)
    assert "/idle/accounts/default/GONE" not in links(page)
    assert "Nobody told the imports of 1,234 more accounts yet." in text
    assert "The stream MIRROR of b mirrors it." in text
    assert "The stream SOURCED of C sources from it." in text
    assert "Not all streams elsewhere were told" in text


def test_the_account_itself() -> None:
    """Limits, roles, imports and JWT are told, and so is what nobody told."""
    told = page_of(
        known(
            stage=Stage(NOW - 60, None, 3, NOW - 30, "connection"),
            entry=hostile_entry("me"),
            inventory=Inventory.SERVERS_ONLY,
            facts={
                "holdings": Holdings(
                    streams=9,
                    names=("S",),
                    reserved_storage_bytes=UNLIMITED,
                    reserved_memory_bytes=2048,
                    as_of_at=NOW,
                ),
                "limits": Limits(UNLIMITED, 3),
                "imports": (Import("X", "x.>", "stream"),),
                "roles": frozenset({Role.DEFAULT}),
                "unknown_roles": frozenset({Role.LEAF_REMOTE}),
                "jwt": Jwt(expires_at=NOW - 1, issuer="OP", tags=("a:b", "c")),
                "is_expired": True,
                "is_listed": False,
            },
        )
    )
    untold = page_of(
        known(
            last_evidence=None,
            facts={
                "limits": None,
                "imports": None,
                "exports": None,
                "told_at": None,
                "importers_unknown": None,
            },
        )
    )

    rows = facts_of(told)
    assert rows["Streams"] == "9: S, …"
    assert rows["Reserved"] == "memory 2.0 KiB, storage unlimited"
    assert rows["May connect"] == "any number of clients, 3 leafnode links"
    assert rows["Imports"] == "1: x.> from X"
    assert rows["It is"] == "the account of clients without credentials"
    assert rows["It may be"] == "the account of a server's own leafnode link"
    assert rows["JWT issued"] == "not told"
    assert rows["JWT expires"] == "2027-01-15 07:59:59 UTC expired"
    assert rows["JWT tags"] == "a:b, c"
    assert rows["In the inventory"] == "no"
    assert rows["Disabled since"] == "2027-01-15 07:59:00 UTC"
    assert rows["Came back into use"] == (
        "3 times, last 2027-01-15 07:59:30 UTC: connection"
    )
    assert rows["Exempt until"] == "2027-01-15 08:00:09 UTC, by me: me"
    assert "It is not in the inventory; a server still has it." in told.flat_text()
    rows = facts_of(untold)
    assert rows["Last use seen"] == "never"
    assert rows["May connect"] == rows["Imports"] == rows["Exports"] == "not known"
    assert rows["Told"] == "by nobody yet"
    assert "Not all accounts are known, so there may be more." in untold.text


def test_the_way_out_is_printed() -> None:
    """Commands stand as they are to be run, with their warnings, and nothing is run."""
    page = page_of(known(facts={"limits": Limits(UNLIMITED, UNLIMITED)}))

    assert "The exporter runs none of it" in page.text
    assert "max_connections: 0" in page.text
    assert "To undo" in page.text
    assert {"form", "button", "input", "script"}.isdisjoint(tag for tag, _ in page.tags)


def test_hints_are_marked() -> None:
    """A hint is called a guess."""
    detail = Book(knowing(default=[known()])).detail("default", "ORDERS")
    hint = HintedCause(hint=Hint.NEVER_USED, detail="since 2026")

    hinted = Document(render_account(replace(detail, hints=(hint,)))).flat_text()

    assert "Guesses at why it is unused." in hinted
    assert "since 2026" in hinted


def test_an_account_without_a_name() -> None:
    """What there is not is said, and nothing is left blank."""
    view = an_account("", quiet_since_at=float("-inf"), name="")
    book = Book(a_snapshot({"default": a_system(view)}))

    page = Document(render_account(book.detail("default", "")))

    assert "(empty name)" in page.text
    assert facts_of(page)["Proven quiet since"] == "not proven"


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_are_text(word: str) -> None:
    """No word makes an element or an attribute, or moves what stands around it."""
    html = render_account(Book(hostile_snapshot()).detail("default", word))

    page = Document(html)
    assert {"script", "b", "img", "form"}.isdisjoint(tag for tag, _ in page.tags)
    attributes = {name for _, found in page.tags for name in found}
    assert {"style", "src", "onclick", "onload"}.isdisjoint(attributes)
    assert not any(each in html for each in "\u202e\u2066\x00\x1b\x9b\u200b")
    for link in links(page):
        assert link == "/" or link.startswith(("/api/v1/accounts/", "/accounts/"))


@pytest.mark.parametrize("word", ["..", "."])
def test_names_that_no_browser_can_ask_for(word: str) -> None:
    """What browsers take for a direction is no link."""
    assert account_path("default", word) == account_path(word, "A") == ""
    page = page_of(known(word))

    assert links(page) == ["/"]


USED = "Its last use was seen 2027-01-14 07:00:00 UTC: sent traffic."
IN_USE = f"{USED} Its threshold is 1d, so it is in use."
HELD = (
    "Proven unused before, no use seen since: a server that counts was not read lately."
    f" Proven idle for 1d 1h of 1d. {USED}"
)
TOO_SHORT = (
    "No use seen, but not watched long enough yet. Proven idle for 23h of 1d. 1h more"
    " without use, and it will be. No use of it was ever seen."
)
NO_START = (
    "Nobody used it for 1d 1h: every server was watched, and its threshold is 1d."
    f" {USED}"
)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": Verdict.ACTIVE}, IN_USE),
        ({"is_observed": False, "reason": Reason.OUTDATED}, HELD),
        (
            {
                "verdict": Verdict.UNKNOWN,
                "reason": Reason.WATCHED_TOO_SHORT,
                "idle_seconds": 82_800.0,
                "is_observed": False,
                "last_activity": None,
            },
            TOO_SHORT,
        ),
        ({"quiet_since_at": None}, NO_START),
    ],
)
def test_why_an_account_is_called_so(changes: dict[str, Any], words: str) -> None:
    """Each verdict gets its reason, with the numbers."""
    [account] = Book(knowing(default=[known()])).accounts(Query()).accounts

    assert accountwords.why(replace(account, **changes)) == words


def test_every_word_is_known() -> None:
    """Each check, role and outcome has words."""
    assert set(accountwords.CHECKS) == set(Check)
    assert set(accountwords.ROLES) == set(Role)
    assert set(accountwords.TOLD) == set(Told)
    assert set(accountwords.REMOVABLE) == set(Removability)


class TestRoute:
    """The page over a socket."""

    async def test_from_the_landing_page(self) -> None:
        """The table leads to each account's page, and says whether it may go."""
        blocked = known("A/B", entry=Entry(owner="o"))
        publication = a_publication(knowing(default=[known("C"), blocked]))
        async with serving(publication, route_prefix="/idle") as (ask, _):
            landing = Document(await (await ask("/idle/")).text())
            found = [link for link in links(landing) if "/accounts/default" in link]
            pages = [await (await ask(link)).text() for link in found]

        assert found == ["/idle/accounts/default/A%2FB", "/idle/accounts/default/C"]
        assert ["A/B" in page for page in pages] == [True, False]
        assert landing.columns(1, 0, 9) == [("A/B", "blockedapproval"), ("C", "safe")]

    async def test_head_and_headers(self) -> None:
        """It is HTML that allows nothing but its style."""
        async with serving(a_publication(knowing(default=[known()]))) as (ask, _):
            get = await ask("/accounts/default/ORDERS")
            head = await ask("/accounts/default/ORDERS", "HEAD")

        assert (get.status, head.status, await head.read()) == (200, 200, b"")
        assert get.headers["Content-Type"] == "text/html; charset=utf-8"
        assert get.headers["Content-Security-Policy"].startswith("default-src 'none'; ")

    @pytest.mark.parametrize(
        "path", ["default/NOBODY", "elsewhere/ORDERS", "default/", "/"]
    )
    async def test_nobody(self, path: str) -> None:
        """Who is not there gets a plain 404."""
        async with serving(a_publication(knowing(default=[known()]))) as (ask, _):
            response = await ask(f"/accounts/{path}")

        assert response.status == 404
        assert response.headers["Content-Type"].startswith("text/plain")

    async def test_before_the_first_cycle(self) -> None:
        """Until a cycle ended nothing can be said."""
        async with serving() as (ask, _):
            response = await ask("/accounts/default/ORDERS")

        assert (response.status, await response.text()) == (
            503,
            "the first cycle has not ended\n",
        )
