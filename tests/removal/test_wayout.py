"""The way out: which steps there are, in which order, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nats_idle_exporter.config import Inactivity, parse_registry_file
from nats_idle_exporter.config.schema import Decommissioned
from nats_idle_exporter.removal.dossier import Check, Stage
from nats_idle_exporter.removal.facts import Copy, Holdings, Limits, Role
from nats_idle_exporter.removal.registry import Decommission, Entry, Registry, Rule
from nats_idle_exporter.removal.wayout import (
    Phase,
    Place,
    Source,
    WayOut,
    render_text,
    way_out,
)
from nats_idle_exporter.removal.wayout.quoting import shell_line
from tests.removal.cases import APPROVED, DAY, NOW, USE, a_case, a_dossier
from tests.removal.documented import CONFIGURATION, OPERATOR
from tests.removal.hostile import (
    BOTH_QUOTES,
    PRINTABLE,
    SAYABLE,
    UNPRINTABLE,
    UNSAYABLE,
)
from tests.removal.ways import (
    ALL,
    COPY,
    DELETE,
    DISABLE,
    GIVE_BACK,
    HELD,
    IMPORTS,
    LOOK,
    OPEN,
    PURGE,
    WAIT,
    a_way,
    an_operator_way,
    commands,
    importing,
    the_step,
    titles,
)


def staged(stage: Stage, now_at: float = NOW, entry: Entry = APPROVED) -> WayOut:
    """Return the way out of an account that anybody may connect to, at a stage."""
    case = a_case(entry=entry, limits=OPEN)._replace(stage=stage)
    return way_out(a_dossier(case), now_at)


class TestOrder:
    """Which steps there are."""

    @pytest.mark.parametrize("make", [a_way, an_operator_way])
    def test_of_everything(self, make: object) -> None:
        """Soft disable, the grace, and then all that the account had before itself."""
        assert callable(make)
        way = make(holdings=HELD, copies=(COPY,), importers=(importing("TEAM"),))

        assert titles(way) == ALL
        assert titles(way, Phase.DISABLE) == [DISABLE]
        assert titles(way, Phase.WAIT) == [WAIT]

    @pytest.mark.parametrize("make", [a_way, an_operator_way])
    def test_of_an_empty_account(self, make: object) -> None:
        """What it does not have needs no step, but the purge is never left out."""
        assert callable(make)

        assert titles(make()) == [DISABLE, WAIT, PURGE, IMPORTS, DELETE, LOOK]

    @pytest.mark.parametrize("make", [a_way, an_operator_way])
    def test_of_what_is_not_known(self, make: object) -> None:
        """What nobody told is backed up and looked for."""
        assert callable(make)
        way = make(holdings=None, are_copies_known=False)

        assert titles(way) == [each for each in ALL if each != GIVE_BACK]
        assert "It is not known what it holds." in the_step(way, "Back up").notes

    def test_unlimited_is_nothing_set_aside(self) -> None:
        """An account that may use whatever there is has nothing to give back."""
        held = replace(HELD, reserved_storage_bytes=-1, reserved_memory_bytes=-1)

        assert GIVE_BACK not in titles(a_way(holdings=held))
        assert GIVE_BACK not in titles(an_operator_way(holdings=held))

    @pytest.mark.parametrize("role", [Role.SYSTEM, Role.GLOBAL])
    def test_of_what_the_system_needs(self, role: Role) -> None:
        """The system account and the global one have no way out."""
        way = a_way(roles=frozenset({role}))

        assert not way.steps
        assert any("no way out" in each for each in way.warnings)
        assert not a_way(account="$G", name="$G").steps


class TestNextPhase:
    """What comes next, by what is known."""

    def test_disable(self) -> None:
        """An account that anybody may connect to is disabled first."""
        assert staged(Stage()).next_phase is Phase.DISABLE
        assert a_way(limits=None).next_phase is Phase.DISABLE

    def test_closed_by_whatever(self) -> None:
        """Limits, an expired JWT and the registry tell that nobody can connect."""
        assert a_way(limits=Limits(0, 0)).next_phase is Phase.WAIT
        assert an_operator_way(limits=OPEN, is_expired=True).next_phase is Phase.WAIT
        assert staged(Stage(disabled_at=NOW)).next_phase is Phase.WAIT

    def test_grace(self) -> None:
        """It is deleted when the grace is over, not a second before."""
        stage = Stage(disabled_at=NOW - DAY, grace_ends_at=NOW)

        assert staged(stage, NOW - 1).next_phase is Phase.WAIT
        assert staged(stage, NOW).next_phase is Phase.DELETE

    def test_blockers_of_the_first_phase(self) -> None:
        """Only what speaks against disabling is held against disabling."""
        used = USE._replace(connections=1)
        way = way_out(a_dossier(a_case(used, Entry(), limits=OPEN)), NOW)

        assert way.blockers == (Check.CONNECTIONS,)
        assert way.warnings[0].startswith("Do not go on yet, connections (fail): ")

    def test_blockers_of_the_last_phase(self) -> None:
        """All of the checklist is held against deleting."""
        over = Stage(disabled_at=NOW - DAY, grace_ends_at=NOW)
        case = a_case(entry=Entry(), holdings=HELD)._replace(stage=over)
        way = way_out(a_dossier(case), NOW)

        assert set(way.blockers) == {Check.STREAMS, Check.RESERVED, Check.APPROVAL}


class TestWait:
    """The grace in words, and the rule that starts it."""

    def test_the_end(self) -> None:
        """It tells when the grace ends, and when it did."""
        stage = Stage(disabled_at=NOW - DAY, grace_ends_at=NOW)
        before, after = staged(stage, NOW - 7200), staged(stage)

        assert "The grace ends at 2027-01-15 08:00 UTC, in 2h." in before.steps[1].notes
        assert "The grace ended at 2027-01-15 08:00 UTC." in after.steps[1].notes

    def test_the_rule(self) -> None:
        """The rule never approves by itself, and keeps what is known."""
        grace = Entry(decommission=Decommission(grace_seconds=7 * DAY))
        known = staged(Stage(disabled_at=NOW - DAY), entry=grace)
        (rule,), (new,) = known.steps[1].snippets, staged(Stage()).steps[1].snippets

        assert rule.text.splitlines()[:4] == [
            '- match: "TEAM"',
            "  decommission:",
            "    disabled_on: 2027-01-14T08:00:00Z",
            "    grace: 7d",
        ]
        assert "disabled_on: 2027-01-15T08:00:00Z\n    grace: 30d" in new.text
        assert "# approved_by" in new.text

    @pytest.mark.parametrize("name", [*PRINTABLE, BOTH_QUOTES])
    def test_the_rule_is_one(self, name: str) -> None:
        """It can be read as it stands, and starts the grace of this account alone."""
        (snippet,) = the_step(a_way(account=name), WAIT).snippets
        (rule,) = parse_registry_file(snippet.text, Inactivity())

        assert Registry([Rule(rule.match, Entry(owner="me"))]).entry(name, "").owner
        assert rule.decommission == Decommissioned(disabled_on_at=NOW)

    @pytest.mark.parametrize("name", UNPRINTABLE)
    def test_names_that_no_rule_can_have(self, name: str) -> None:
        """No rule is printed that the configuration would refuse."""
        assert not the_step(a_way(account=name), WAIT).snippets

    def test_a_short_grace(self) -> None:
        """What is less than a day is not rounded to nothing."""
        entry = Entry(decommission=Decommission(grace_seconds=DAY + 1))

        assert "grace: 2d" in staged(Stage(), entry=entry).steps[1].snippets[0].text


def test_what_was_run_and_what_was_not() -> None:
    """Only what is run on real servers says so."""
    for way in (a_way(holdings=HELD), an_operator_way(holdings=HELD)):
        for command in commands(way):
            program = command.text.split("curl")[0].split()[:1] or ["curl"]
            expected = {"nats": Source.NATS, "nsc": Source.NSC}
            assert command.source is expected.get(program[0], Source.RUN)


@pytest.mark.parametrize("name", UNSAYABLE)
def test_names_that_cannot_be_said(name: str) -> None:
    """No command of a name that cannot be said is printed, and the way says why."""
    way = a_way(account=name, name=name, holdings=HELD)

    assert UNSAYABLE[name] in way.warnings[-1]
    assert not any("acc=" in each.text for each in commands(way))
    assert not the_step(way, WAIT).snippets


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_names_that_are_no_keys(name: str) -> None:
    """Where no configuration can be printed with a name, the line is shown alone."""
    (snippet,) = the_step(a_way(account=name), DISABLE).snippets

    assert snippet.text == "limits: { max_connections: 0, max_leafnodes: 0 }"
    assert snippet.purpose.startswith("in the block of this account, in")


def test_unprintable_servers() -> None:
    """An URL that cannot be printed is left out; a placeholder stands for none."""
    way = a_way(Place(monitoring_urls=("http://a\n", "http://b\0")))

    assert "MONITORING_URL/healthz" in the_step(way, LOOK).checks[0].text


class TestText:
    """The way out as plain text."""

    def test_reads(self) -> None:
        """It has everything, in the order in which it is done."""
        way = a_way(holdings=HELD, importers=(importing("TEAM"),), limits=OPEN)
        text = render_text(way)

        places = [text.index(f". {title} [") for title in titles(way)]
        assert places == sorted(places)
        assert text.startswith("The way out of TEAM (TEAM), configuration mode\n")
        assert text.endswith("\n")
        assert all(f"     {each.text}\n" in text for each in commands(way))
        assert "operator mode" in render_text(an_operator_way())

    @pytest.mark.parametrize("name", [*SAYABLE, *UNSAYABLE])
    def test_hostile_names(self, name: str) -> None:
        """Nothing in it does anything to a terminal, whatever the names are."""
        held = Holdings(streams=1, names=(name,), as_of_at=NOW)
        known: dict[str, Any] = {
            "name": name,
            "holdings": held,
            "copies": (Copy(name, name, name, is_mirror=True),),
            "importers": (importing(name, name, name=name, account=name),),
        }
        for way in (a_way(account=name, **known), an_operator_way(**known)):
            assert all(map(str.isprintable, render_text(way).split("\n")))


def test_the_documentation_shows_it() -> None:
    """What docs/removal.md shows is what is printed."""
    page = (Path(__file__).parents[2] / "docs" / "removal.md").read_text("utf-8")
    blocks = page.split("```text\n")[1:]
    shown = [block.split("```")[0] for block in blocks]

    assert shown[0] == CONFIGURATION
    assert all(each in OPERATOR for each in shown[1:3])
    assert all(f"| `{check}` |" in page for check in Check)
    line = shell_line("nsc", "push", "--account=two\nlines")
    assert f"```sh\n{line}\n```" in page
