"""The short form of the bench, and that it finds what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from nats_idle_exporter.activity import Instant, Listing, Reading, Ring, SystemView
from nats_idle_exporter.monitoring.polled import KeepsLedger
from tests.support.programs import require_program
from tests.support.servers import NEWEST
from tests.truth.__main__ import report
from tests.truth.bench import Bench, Judged, play
from tests.truth.judging import Verdict, judge
from tests.truth.life import Span
from tests.truth.scene import Scene, said_of
from tests.truth.scenes import PLAYS, SHORT
from tests.truth.scenes.single import use
from tests.truth.table import sums

pytestmark = pytest.mark.live

ONLY_IN_THE_RING = {"BRIEF", "PACKET"}
PLAIN_ERRORS = {*ONLY_IN_THE_RING, "$SYS", "$G", "JOB"}


def wrong(cases: Iterable[Judged], judge_of: str) -> set[str]:
    """Return the accounts about which one judge erred."""
    return {
        case.life.account
        for case in cases
        if not (case.our_worth if judge_of == "ours" else case.plain_worth).is_right
    }


def our_errors(scene: Scene) -> set[str]:
    """Return the accounts about which we erred, without asking Prometheus."""
    at = [moment.at for moment in scene.moments]
    return {
        account
        for account, life in scene.lives.items()
        if not judge(
            life, at, [said_of(account, moment) for moment in scene.moments]
        ).is_right
    }


async def test_short_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """We err nowhere; the plain query errs where counters do not tell."""
    require_program("promtool")
    bench, told = Bench(tmp_path), list[str]()

    await play(bench, SHORT, told.append)
    cases = await bench.judged()

    found = sums(cases)
    assert wrong(cases, "ours") == set()
    assert found["ours"].is_good
    assert found["ours"].raises > 0
    assert wrong(cases, "plain") == PLAIN_ERRORS
    assert not found["plain"].is_good
    assert len(told) == len(SHORT)

    data = tmp_path / "truth.json"
    assert report(cases, 2, data) == 0
    text = capsys.readouterr().out
    assert {case.life.case for case in cases if case.life.case not in text} == set()
    told_in_json = json.loads(data.read_text())
    assert len(told_in_json["cases"]) == len(cases)
    assert told_in_json["simulated"]["histories"] == 2
    one_wrong = [cases[0]._replace(our_worth=Verdict(judged=1, wrong=1)), *cases[1:]]
    assert report(one_wrong, 0, None) == 1


class _Deaf:
    """A wrong heart: it never looks at the ring of closed connections."""

    def __init__(self, ledger: KeepsLedger) -> None:
        self._ledger = ledger

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Watch what the true heart watches."""
        self._ledger.watch(endpoints, now)

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Take what a source finds."""
        self._ledger.discover(source, endpoints, now)

    def endpoints_wanted(self) -> tuple[str, ...]:
        """Read what the true heart reads."""
        return self._ledger.endpoints_wanted()

    def endpoints_found(self) -> Mapping[str, tuple[str, ...]]:
        """Return what the true heart was told."""
        return self._ledger.endpoints_found()

    def apply(self, reading: Reading) -> None:
        """Take a reading in, as if nobody had come and gone."""
        self._ledger.apply(replace(reading, ring=Ring()))

    def consumers_wanted(self) -> frozenset[str]:
        """Return what the true heart wants."""
        return self._ledger.consumers_wanted()

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory in."""
        self._ledger.list_accounts(listing)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Conclude as the true heart does."""
        return self._ledger.conclude(now, shift_seconds)


async def test_wrong_heart_is_found(tmp_path: Path) -> None:
    """Who does not read the ring errs about those whom only the ring tells."""
    bench = Bench(tmp_path, _Deaf)

    await use(bench, NEWEST)

    assert our_errors(bench.scenes[0]) == ONLY_IN_THE_RING


async def test_falsified_truth_is_found(tmp_path: Path) -> None:
    """A use that never was makes a right 1 wrong; one taken away, a right 0."""
    bench = Bench(tmp_path)
    await use(bench, NEWEST)
    (scene,) = bench.scenes
    assert our_errors(scene) == set()

    scene.lives["NEVER"].uses.append(Span(scene.now, scene.now))
    scene.lives["BUSY"].uses.clear()

    assert our_errors(scene) == {"NEVER", "BUSY"}


def test_every_trap_has_a_case() -> None:
    """The long form plays all scenes, the short one some of them."""
    names = [each.name for each in PLAYS]

    assert len(names) == len(set(names))
    assert {each.name for each in SHORT} < set(names)
    assert all(each.versions == (NEWEST,) for each in SHORT)
