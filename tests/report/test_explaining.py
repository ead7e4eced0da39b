"""All that is known of one account, at a terminal."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nats_idle_exporter.activity import Reason, Verdict
from nats_idle_exporter.api.facts import HintedCause
from nats_idle_exporter.removal.dossier import Hint, Stage
from nats_idle_exporter.removal.facts import Holdings, Jwt
from nats_idle_exporter.report.explaining import render_explanation
from tests.api.builders import (
    HOSTILE,
    hostile_entry,
    hostile_snapshot,
    knowing,
    known,
)
from tests.metrics.builders import a_snapshot, a_system, an_account
from tests.removal.cases import NOW, an_importer
from tests.report.builders import explained

DISABLED = (
    "Disabled since 2027-01-15 07:59:00 UTC; its grace ends 2027-01-15 08:01:00 UTC"
)
WHY = (
    "Nobody used it for 1d 1h, since 2027-01-14 07:00:00 UTC: every server was watched,"
    " and its threshold is 1d. Its last use was seen 2027-01-14 07:00:00 UTC: sent"
    " traffic."
)


def told(*lines: str) -> str:
    """Return lines as they stand below each other."""
    return "\n".join(lines)


def test_an_account_that_may_go() -> None:
    """Verdict, reasons, checklist, manual items and commands are all there."""
    text = render_explanation(explained(knowing(default=[known()]), "ORDERS"))

    assert text.startswith(
        told(
            "By a test",
            "",
            "ORDERS (ORDERS), system default",
            "as of 2027-01-15 08:00:00 UTC",
            "",
            f"Verdict: inactive. {WHY}",
            "Removal: safe, every check passes.",
            "Owner: o",
            "Holds: 0 streams, 0 consumers, 0 messages, 0 bytes; reserved: memory"
            " 0 bytes, storage 0 bytes",
            "",
            "Checklist; what is not known does not pass",
            "  pass     Nobody is connected",
        )
    )
    assert text.count("  pass     ") == 11
    assert "  [ ] " in text
    assert "The way out of ORDERS" in text
    assert text.endswith("\n")


def test_what_stands_in_the_way() -> None:
    """Importers, exemption, stage and doubts are told."""
    facts = {
        "importers": (an_importer(), an_importer("GONE", verdict="")),
        "importers_unknown": None,
        "holdings": Holdings(streams=1, reserved_storage_bytes=-1, as_of_at=NOW),
        "jwt": Jwt(),
    }
    account = known(
        entry=hostile_entry("me"),
        stage=Stage(NOW - 60, NOW + 60, 2, NOW - 30, "connection"),
        facts=facts,
    )

    text = render_explanation(explained(knowing(default=[account]), "ORDERS"))

    for line in (
        "Removal: blocked, something speaks against it.",
        "Owner: me, me, me, me, me",
        "Exempt until 2027-01-15 08:00:09 UTC by me: me",
        "Imported by SHOP (active): orders.>",
        "Imported by GONE (no verdict): orders.>",
        "Imported by: not all accounts are known, so there may be more",
        DISABLED,
        "Came back into use 2 times, last 2027-01-15 07:59:30 UTC (connection)",
    ):
        assert line in text.splitlines()
    assert "storage unlimited" in text


def test_an_account_that_nobody_used_or_owns() -> None:
    """What there is not is said, and nothing is left blank."""
    view = an_account(
        verdict=Verdict.UNKNOWN,
        reason=Reason.WATCHED_TOO_SHORT,
        is_observed=False,
        last_evidence=None,
        idle_seconds=3600.0,
    )

    text = render_explanation(
        explained(a_snapshot({"default": a_system(view)}), "ORDERS")
    )

    assert "Owner: nobody known" in text
    assert (
        "Verdict: unknown. No use seen, but not watched long enough yet. Proven idle"
        " for 1h of 1d. 23h more without use, and it will be. No use of it was ever"
        " seen."
    ) in text


def test_hints_are_marked() -> None:
    """A hint is called a guess, and where there is none nothing is said."""
    explanation = explained(knowing(default=[known()]), "ORDERS")
    [detail] = explanation.accounts
    hint = HintedCause(hint=Hint.TEMPORARY_NAME, detail="it says test")
    hinted = replace(detail, hints=(hint,))

    without = render_explanation(
        replace(explanation, accounts=(replace(detail, hints=()),))
    )
    text = render_explanation(replace(explanation, accounts=(hinted,), notes=("n",)))

    assert "Hints" not in without
    assert "Hints: guesses, and no reason for or against anything" in text
    assert "  it says test" in text.splitlines()
    assert "- n" in text.splitlines()


def test_half_known_stages() -> None:
    """What is not known of a way out is left out."""
    stage = Stage(disabled_at=NOW, reactivations=1)
    snapshot = knowing(default=[known(stage=stage)])

    lines = render_explanation(explained(snapshot, "ORDERS")).splitlines()

    assert "Disabled since 2027-01-15 08:00:00 UTC" in lines
    assert "Came back into use 1 times" in lines


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_are_shown(word: str) -> None:
    """Whatever words are in it, every character of the text can be seen."""
    text = render_explanation(explained(hostile_snapshot(), word))

    assert all(each in "\n\t" or each.isprintable() for each in text)
