"""docs/metrics.md says what the catalogue says, and its formula is true."""

from __future__ import annotations

import re
from pathlib import Path

from nats_idle_exporter.activity import Unwatched, UnwatchedKind, Verdict
from nats_idle_exporter.metrics import (
    FAMILIES,
    Format,
    ProcessMetrics,
    Refusal,
    render,
)
from nats_idle_exporter.monitoring.failures import REASONS
from nats_idle_exporter.removal.dossier import Check, Outcome, Stage
from nats_idle_exporter.removal.facts import Jwt
from nats_idle_exporter.removal.registry import Entry, Exemption
from tests.metrics.builders import (
    NO_PROCESS,
    a_lookup,
    a_publication,
    a_server,
    a_snapshot,
    a_source,
    a_system,
    an_account,
    an_endpoint,
)
from tests.metrics.dossierbuilders import a_blocker, facts_of, with_blockers
from tests.metrics.parsing import parse
from tests.removal.cases import NOW

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
FORMULA = re.compile(
    r"series = (\d+) \* accounts \+ (\d+) \* inactive accounts"
    r" \+ \((\d+) \+ reasons\) \* endpoints"
    r" \+ (\d+) \* systems \+ unwatched servers \+ (\d+) \* sources"
    r" \+ (\d+) \* lookups \+ (\d+)"
)


def reference_table() -> str:
    """Return the table that docs/metrics.md must hold."""
    rows = ["| Family | Type | Labels | Meaning |", "|---|---|---|---|"]
    for name, kind, labels, meaning, _ in FAMILIES:
        listed = ", ".join(f"`{label}`" for label in labels) or "none"
        rows.append(f"| `{name}` | {kind} | {listed} | {meaning} |")
    return "\n".join(rows) + "\n"


def test_the_table_equals_the_catalogue() -> None:
    """Every family is documented in full; paste the table when it changed."""
    document = DOCUMENT.read_text()

    assert reference_table() in document, reference_table()


def test_the_formula_counts_the_series_of_a_page() -> None:
    """The documented number of series is what a page really holds."""
    accounts, active, endpoints, systems, reasons = 7, 4, 3, 2, 5
    sources, lookups, unwatched = 4, 6, 8
    urls = [f"http://{i}" for i in range(endpoints)]
    errors = {f"reason{i}": 0 for i in range(reasons)}
    views = [
        an_account(f"A{i}", verdict=Verdict.ACTIVE if i < active else Verdict.INACTIVE)
        for i in range(accounts)
    ]
    snapshot = with_blockers(
        a_snapshot(
            {
                "default": a_system(
                    *views,
                    servers=tuple(map(a_server, urls)),
                    unwatched=[
                        Unwatched(UnwatchedKind.ROUTE, f"N{i}")
                        for i in range(unwatched)
                    ],
                ),
                "empty": a_system(servers=()),
            },
            [an_endpoint(url, errors=errors) for url in urls],
            [a_source(f"file:{i}") for i in range(sources)],
            [a_lookup(f"dns+http://{i}") for i in range(lookups)],
        ),
        facts={v.account: facts_of(v, jwt=Jwt(expires_at=NOW)) for v in views},
        blockers={view.account: tuple(map(a_blocker, Check)) for view in views},
        stages={view.account: Stage(NOW, NOW, 1) for view in views},
        entries=lambda _account, _name: Entry(exemption=Exemption(NOW, "", "")),
    )
    formula = FORMULA.search(DOCUMENT.read_text())
    assert formula
    weights = map(int, formula.groups())
    per_account, per_inactive, per_endpoint, per_system, *rest = weights
    per_source, per_lookup, own = rest

    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    assert len(parse(Format.TEXT, page)) == (
        per_account * accounts
        + per_inactive * (accounts - active)
        + (per_endpoint + reasons) * endpoints
        + per_system * systems
        + unwatched
        + per_source * sources
        + per_lookup * lookups
        + own
    )


def test_every_reason_that_blocks_is_documented() -> None:
    """The document names each check, and both of its reasons are made of it."""
    listed = ", ".join(f"`{check}`" for check in Check)

    assert f"by the name of the check: {listed}." in DOCUMENT.read_text()
    assert a_blocker(Check.USE).reason == "use"
    assert a_blocker(Check.USE, Outcome.UNKNOWN).reason == "use_unknown"


def test_every_reason_is_documented() -> None:
    """The document names each reason for a failed poll, and how many there are."""
    listed = ", ".join(f"`{reason}`" for reason in REASONS)
    sentence = f"`reasons` is {len(REASONS)}, the ways in which a poll can fail: "

    assert f"{sentence}{listed}." in DOCUMENT.read_text()


def test_every_reason_for_a_refusal_is_documented() -> None:
    """The document says what each reason of our own web server means."""
    assert all(f"`{reason}` (" in DOCUMENT.read_text() for reason in Refusal)


def test_the_page_before_the_first_cycle_is_documented() -> None:
    """The document names each family that has samples before a cycle ended."""
    page = render(a_publication(None), NO_PROCESS)[Format.TEXT]

    found = dict.fromkeys(name for name, _ in parse(Format.TEXT, page))
    names = ", ".join(f"`{name}`" for name in found)
    assert f"ended the page holds {names}, `process_*`" in DOCUMENT.read_text()


def test_our_own_process_has_as_many_series_as_documented() -> None:
    """prometheus_client's families stay below the documented bound."""
    bound = re.search(r"at most (\d+) of `process_\*`", DOCUMENT.read_text())
    assert bound

    page = ProcessMetrics().read()[Format.TEXT]

    assert 0 < len(parse(Format.TEXT, page)) <= int(bound[1])
