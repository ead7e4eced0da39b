"""What the page says of whether accounts may go."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.metrics import Format, render
from nats_idle_exporter.metrics.removalfamilies import REMOVAL_FAMILIES
from nats_idle_exporter.metrics.render import BLOCK
from nats_idle_exporter.removal.dossier import Check, Outcome, Stage
from nats_idle_exporter.removal.facts import UNLIMITED, AccountFacts, Jwt
from nats_idle_exporter.removal.registry import Entry, Exemption
from tests.metrics.builders import (
    NO_PROCESS,
    a_publication,
    a_snapshot,
    a_system,
    an_account,
)
from tests.metrics.dossierbuilders import (
    HandMade,
    a_blocker,
    facts_of,
    hand_made,
    holdings,
    with_blockers,
)
from tests.metrics.parsing import parse
from tests.removal.cases import NOW, an_importer

ALWAYS = {"account_removable", "account_reactivations_total"}

Samples = dict[str, dict[tuple[str, ...], float]]


def shown(*accounts: Any, **told: Any) -> Samples:
    """Return family -> (account, further label) -> value, of removal facts."""
    snapshot = with_blockers(a_snapshot({"default": a_system(*accounts)}), **told)
    return read(render(a_publication(snapshot), NO_PROCESS)[Format.TEXT])


def read(page: bytes) -> Samples:
    """Return the samples of a page that tell of removal."""
    found: Samples = {family.name: {} for family in REMOVAL_FAMILIES}
    for (name, labels), value in parse(Format.TEXT, page).items():
        if name in found:
            told = dict(labels)
            further = (told[each] for each in ("storage", "reason") if each in told)
            found[name][told["account"], *further] = value
    return found


def fact(**changes: Any) -> Samples:
    """Return what is shown of one account, ORDERS, with these facts."""
    view = an_account(is_operator_mode=True)
    return shown(view, facts={"ORDERS": facts_of(view, **changes)})


class TestFacts:
    """Numbers of what an account has."""

    def test_what_jetstream_holds(self) -> None:
        """Streams, consumers, bytes and reservations are told, messages are not."""
        found = fact(
            holdings=holdings(
                streams=3,
                consumers=4,
                messages=5,
                bytes=2**63,
                reserved_memory_bytes=7,
                reserved_storage_bytes=8,
            )
        )

        assert found["account_jetstream_streams"] == {("ORDERS",): 3}
        assert found["account_jetstream_consumers"] == {("ORDERS",): 4}
        assert found["account_jetstream_bytes"] == {("ORDERS",): 2**63}
        assert found["account_jetstream_reserved_bytes"] == {
            ("ORDERS", "memory"): 7,
            ("ORDERS", "file"): 8,
        }

    def test_without_a_limit_nothing_is_set_aside(self) -> None:
        """An account that may use whatever there is has no reservation."""
        limits = {
            "reserved_memory_bytes": UNLIMITED,
            "reserved_storage_bytes": UNLIMITED,
        }

        found = fact(holdings=holdings(**limits))

        assert set(found["account_jetstream_reserved_bytes"].values()) == {0}
        assert len(found["account_jetstream_reserved_bytes"]) == 2

    def test_exports_importers_and_expiry(self) -> None:
        """What ties an account to others is counted, its JWT's end is a moment."""
        found = fact(
            exports=2,
            importers=(an_importer("A"), an_importer("B")),
            jwt=Jwt(expires_at=NOW + 0.5),
        )

        assert found["account_exports"] == {("ORDERS",): 2}
        assert found["account_importers"] == {("ORDERS",): 2}
        assert found["account_jwt_expiry_timestamp_seconds"] == {("ORDERS",): NOW + 0.5}

    @pytest.mark.parametrize("unknown", [None, 1])
    def test_importers_that_are_found_count_before_all_were_asked(
        self, unknown: int | None
    ) -> None:
        """One importer is reason enough, whoever else there may be."""
        found = fact(importers=(an_importer("A"),), importers_unknown=unknown)

        assert found["account_importers"] == {("ORDERS",): 1}

    @pytest.mark.parametrize("unknown", [None, 1])
    def test_no_importer_is_not_known_before_all_were_asked(
        self, unknown: int | None
    ) -> None:
        """None was found, but some accounts were not asked: no zero."""
        assert fact(importers_unknown=unknown)["account_importers"] == {}

    def test_what_nobody_told_is_absent(self) -> None:
        """An account of which nothing is known has no fact, and is not removable."""
        view = an_account()
        nothing = AccountFacts(account="ORDERS", name="ORDERS", is_operator_mode=True)

        found = shown(
            view,
            facts={"ORDERS": nothing},
            blockers={"ORDERS": (a_blocker(Check.STREAMS, Outcome.UNKNOWN),)},
        )

        assert {name for name, values in found.items() if values} == {
            *ALWAYS,
            "account_removal_blockers",
        }
        assert found["account_removable"] == {("ORDERS",): 0}

    def test_known_and_unknown_facts_are_not_mixed_up(self) -> None:
        """Each value stands with its own account, whoever has none in between."""
        views = [an_account(each) for each in "ABC"]
        facts = {
            "A": facts_of(views[0], holdings=holdings(streams=1), exports=10),
            "B": facts_of(views[1], holdings=None, exports=None),
            "C": facts_of(views[2], holdings=holdings(streams=3), exports=30),
        }

        found = shown(*views, facts=facts)

        assert found["account_jetstream_streams"] == {("A",): 1, ("C",): 3}
        assert found["account_exports"] == {("A",): 10, ("C",): 30}


class TestStages:
    """Where accounts stand on their way out."""

    def test_a_fresh_account_has_only_its_zero(self) -> None:
        """The counter is there from the first sight on, so that an increase shows."""
        found = shown(an_account(verdict=Verdict.ACTIVE))

        assert found["account_reactivations_total"] == {("ORDERS",): 0}
        assert found["account_disabled_timestamp_seconds"] == {}
        assert found["account_grace_expiry_timestamp_seconds"] == {}
        assert found["account_exemption_expiry_timestamp_seconds"] == {}

    def test_stage_and_exemption(self) -> None:
        """Moments are told as they are, those of the past too."""
        stage = Stage(disabled_at=NOW - 5, grace_ends_at=NOW + 5, reactivations=2)
        exemption = Exemption(NOW - 60, "audit", "anna")

        found = shown(
            an_account(),
            stages={"ORDERS": stage},
            entries=lambda _account, _name: Entry(exemption=exemption),
        )

        assert found["account_reactivations_total"] == {("ORDERS",): 2}
        assert found["account_disabled_timestamp_seconds"] == {("ORDERS",): NOW - 5}
        assert found["account_grace_expiry_timestamp_seconds"] == {("ORDERS",): NOW + 5}
        exempt = found["account_exemption_expiry_timestamp_seconds"]
        assert exempt == {("ORDERS",): NOW - 60}


class TestJudgement:
    """Whether accounts may go, and what stands in the way."""

    def test_removable_is_one_only_when_everything_passes(self) -> None:
        """One item that fails or is unknown makes it zero."""
        blockers = {
            "BLOCKED": (a_blocker(Check.ROLE),),
            "UNKNOWN": (a_blocker(Check.ROLE, Outcome.UNKNOWN),),
            "SAFE": (),
        }

        found = shown(*map(an_account, blockers), blockers=blockers)

        assert found["account_removable"] == {
            ("BLOCKED",): 0,
            ("UNKNOWN",): 0,
            ("SAFE",): 1,
        }

    def test_blockers_are_counted_by_reason(self) -> None:
        """What fails and what is unknown have reasons of their own; never zero."""
        blockers = (
            a_blocker(Check.STREAMS, number=7),
            a_blocker(Check.IMPORTERS, Outcome.UNKNOWN, number=3),
            a_blocker(Check.COPIES, Outcome.UNKNOWN, number=0),
        )

        found = shown(an_account(), blockers={"ORDERS": blockers})

        assert found["account_removal_blockers"] == {
            ("ORDERS", "streams"): 7,
            ("ORDERS", "importers_unknown"): 3,
            ("ORDERS", "copies_unknown"): 1,
        }

    @pytest.mark.parametrize("verdict", sorted(set(Verdict) - {Verdict.INACTIVE}))
    def test_only_inactive_accounts_are_judged(self, verdict: Verdict) -> None:
        """Whoever is not proven idle is not removable, whatever the rest says."""
        views = (an_account("BUSY", verdict=verdict), an_account("IDLE"))
        dossiers = hand_made(views)

        found = read(page_with(dossiers, *views))

        assert found["account_removable"] == {("BUSY",): 0, ("IDLE",): 1}
        assert dossiers.asked == ["IDLE"]


def page_with(dossiers: HandMade, *views: Any) -> bytes:
    """Return the page of accounts and dossiers."""
    snapshot = a_snapshot({"default": a_system(*views)})
    snapshot = replace(snapshot, dossiers={"default": dossiers})
    return render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]


@pytest.mark.parametrize("count", [0, BLOCK - 1, BLOCK, BLOCK + 1])
def test_no_account_is_lost_between_blocks(count: int) -> None:
    """Facts and judgements stand with their accounts, whatever the blocks."""
    views = [an_account(f"A{i:05}") for i in range(count)]
    facts = {
        view.account: facts_of(view, exports=i, holdings=holdings(bytes=i))
        for i, view in enumerate(views)
    }
    blockers = {
        view.account: (a_blocker(Check.STREAMS, number=i),)
        for i, view in enumerate(views)
        if i
    }

    found = shown(*views, facts=facts, blockers=blockers)

    numbers = {(f"A{i:05}",): i for i in range(count)}
    assert found["account_exports"] == numbers
    assert found["account_jetstream_bytes"] == numbers
    assert found["account_removable"] == {key: i == 0 for key, i in numbers.items()}
    assert found["account_removal_blockers"] == {
        (*key, "streams"): i for key, i in numbers.items() if i
    }


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (Entry(), ("jwt", "jwt", "jwt")),
        (Entry(owner="rule"), ("rule", "jwt", "jwt")),
        (Entry(owner="o", team="t", environment="e"), ("o", "t", "e")),
    ],
)
def test_a_jwt_tells_what_no_rule_does(
    entry: Entry, told: tuple[str, str, str]
) -> None:
    """Owner, team and environment fall back to the JWT's tags, each by itself."""
    view = an_account(is_operator_mode=True)
    tags = ("owner:jwt", "team:jwt", "env:jwt", "owner:second")
    facts = {"ORDERS": facts_of(view, jwt=Jwt(tags=tags))}
    dossiers = hand_made([view], facts=facts, entries=lambda _account, _name: entry)

    page = page_with(dossiers, view)

    [labels] = [
        dict(labels)
        for name, labels in parse(Format.TEXT, page)
        if name == "account_info"
    ]
    assert (labels["owner"], labels["team"], labels["environment"]) == told
