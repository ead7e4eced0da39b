"""Snapshots with dossiers, for tests of all that shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from nats_idle_exporter.activity import AccountView, Verdict
from nats_idle_exporter.dossiers import Dossiers
from nats_idle_exporter.removal.dossier import FRESH, Stage
from nats_idle_exporter.removal.facts import (
    AccountFacts,
    Copy,
    Holdings,
    Import,
    Importer,
    Jwt,
    Role,
    Told,
)
from nats_idle_exporter.removal.registry import Decommission, Entry, Exemption
from nats_idle_exporter.snapshot import Snapshot
from tests.metrics.builders import a_snapshot, a_system, an_account
from tests.metrics.dossierbuilders import facts_of, material_of
from tests.removal.cases import APPROVED, NOW

HOSTILE = (
    "<script>alert('x')</script>",
    "=cmd|' /C calc'!A0",
    "a|b`c`\n# d\r\n\t<!-- -->",
    "\u202ereversed\u2066",
    "../../etc/passwd?x=1#y",
    "%2e%2E/%00\\",
    "{{7*7}}{% raw %}${x}$(id)`id`",
    "-1+2",
    "+x",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    "*b* _i_ [l](javascript:alert(1)) ![i](http://h) ~~s~~ \\| \\\\|",
    "\x00\x1b[31m\x7f\x9b",
    "'); DROP TABLE accounts; --",
    'quote " comma , semicolon ;',
    "مرحبا",
    "名前",
    "e\u0301\u200b",
    "..",
    ".",
    "",
    " ",
    "a" * 600,
)
"""Names that mean something to somebody; all of them are names."""


class Known(NamedTuple):
    """One account: its view, and what its dossier is made from."""

    view: AccountView
    facts: AccountFacts
    entry: Entry = APPROVED
    stage: Stage = FRESH


def known(
    account: str = "ORDERS",
    entry: Entry = APPROVED,
    stage: Stage = FRESH,
    facts: dict[str, Any] | None = None,
    **changes: Any,
) -> Known:
    """Return an account that may go, with changes of its view and its facts."""
    view = an_account(account, **changes)
    return Known(view, facts_of(view, **facts or {}), entry, stage)


def knowing(**systems: list[Known]) -> Snapshot:
    """Return a snapshot of systems with these accounts."""
    views = {
        name: a_system(*(each.view for each in everybody))
        for name, everybody in systems.items()
    }
    dossiers = {name: _dossiers(name, everybody) for name, everybody in systems.items()}
    return replace(a_snapshot(views), dossiers=dossiers)


def hostile_snapshot() -> Snapshot:
    """Return a snapshot in which every word from outside is hostile."""
    everybody = []
    for index, word in enumerate(HOSTILE):
        other = HOSTILE[index - 1]
        everybody.append(
            known(
                word,
                name=other,
                verdict=list(Verdict)[index % 3],
                entry=hostile_entry(word),
                facts=hostile_facts(word),
                stage=Stage(NOW - 9, NOW + 9, 2, NOW - 99, word),
            )
        )
    return knowing(default=everybody)


def hostile_entry(word: str) -> Entry:
    """Return an entry of which every word is this."""
    return Entry(
        owner=word,
        team=word,
        environment=word,
        contact=word,
        purpose=word,
        exemption=Exemption(NOW + 9, word, word),
        decommission=Decommission(NOW - 9, word, 60.0),
    )


def hostile_facts(word: str) -> dict[str, Any]:
    """Return facts of which every word is this."""
    imports = (Import(word, word, "stream"),)
    return {
        "holdings": Holdings(
            streams=2, messages=3, bytes=4_000_000, names=(word,), as_of_at=NOW - 60
        ),
        "imports": imports,
        "importers": (Importer(word, word, "active", imports, Told.BOTH),),
        "copies": (Copy(word, word, word, is_mirror=True),),
        "jwt": Jwt(issuer=word, tags=(word, f"owner:{word}"), description=word),
        "roles": frozenset(Role),
        "unknown_roles": frozenset({Role.AUTH_CALLOUT}),
    }


def _dossiers(system: str, everybody: list[Known]) -> Dossiers:
    by_names = {(each.view.account, each.view.name): each.entry for each in everybody}
    material = material_of(
        [each.view for each in everybody],
        facts={each.view.account: each.facts for each in everybody},
        entries=lambda account, name: by_names[account, name],
        stages={each.view.account: each.stage for each in everybody},
    )
    return Dossiers(system, material)
