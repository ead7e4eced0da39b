"""The report: a table of all cases, and its sum. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from statistics import median
from typing import Any, NamedTuple

from tests.truth.bench import Judged
from tests.truth.judging import GRACE_CYCLES, Said, Verdict

HEAD = ("case", "nats", "time", "truth, in cycles", "ours", "", "plain query", "")


class Sum(NamedTuple):
    """What one judge's answers are worth, over all cases.

    ``limits`` are misses where no polling can tell.
    """

    right_cases: int
    judged: int
    wrong_answers: int
    wrong_raises: int
    held: int
    missed_raises: int
    limits: int
    raises: int
    max_delay: int
    median_delay: float

    @property
    def is_good(self) -> bool:
        """Say whether nothing was raised wrongly, and nothing missed."""
        return not (self.wrong_answers or self.missed_raises)


def total(cases: Sequence[tuple[str, Verdict]]) -> Sum:
    """Add up cases, each with the limit that excuses its misses, if any."""
    worths = [worth for _, worth in cases]
    delays = [delay for worth in worths for delay in worth.delays]
    return Sum(
        right_cases=sum(
            not worth.wrong and (bool(limit) or not worth.missed)
            for limit, worth in cases
        ),
        judged=sum(worth.judged for worth in worths),
        wrong_answers=sum(worth.wrong for worth in worths),
        wrong_raises=sum(worth.wrong_raises for worth in worths),
        held=sum(worth.held for worth in worths),
        missed_raises=sum(worth.missed for limit, worth in cases if not limit),
        limits=sum(worth.missed for limit, worth in cases if limit),
        raises=len(delays),
        max_delay=max(delays, default=0),
        median_delay=median(delays) if delays else 0,
    )


def sums(cases: Iterable[Judged]) -> dict[str, Sum]:
    """Return the sum of each judge's answers."""
    cases = list(cases)
    return {
        "ours": total([(each.life.limit, each.our_worth) for each in cases]),
        "plain": total([(each.life.limit, each.plain_worth) for each in cases]),
    }


def runs(said: Iterable[Said | None]) -> str:
    """Return answers over time as words, each with its cycles."""
    words = (_word(answer) for answer in said)
    return ", ".join(f"{word} {len(list(run))}" for word, run in groupby(words))


def _word(answer: Said | None) -> str:
    if answer is None:
        return "."
    if answer.is_raised:
        return "1" if answer.is_backed else "1 held"
    return answer.word


def rows(cases: Iterable[Judged]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the table, one row per case."""
    for case in cases:
        limit = f" (limit: {case.life.limit})" if case.life.limit else ""
        yield (
            case.life.case,
            case.scene.version,
            case.scene.time,
            case.life.words(moment.at for moment in case.scene.moments),
            runs(case.ours),
            case.our_worth.words() + limit,
            runs(case.plain),
            case.plain_worth.words(),
        )


def table(cells: Iterable[tuple[str, ...]]) -> str:
    """Return the rows under their heads, in columns."""
    lines = [HEAD, *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "".join(
        "| "
        + " | ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        )
        + " |\n"
        for line in lines
    )


def footer(found: dict[str, Sum], cases: int) -> str:
    """Return the sums as lines of text."""
    lines = [f"{'cases':40}{cases}", f"{'':40}{'ours':>10}{'plain':>10}"]
    for words, name in (
        ("cases without an error", "right_cases"),
        ("verdicts judged (case x cycle)", "judged"),
        ("wrong verdicts", "wrong_answers"),
        ("wrong raises", "wrong_raises"),
        (f"missed raises (over {GRACE_CYCLES} cycles late)", "missed_raises"),
        ("missed where no polling can tell", "limits"),
        ("held over use, and marked as not backed", "held"),
        ("raises owed and made", "raises"),
        ("cycles of delay, max", "max_delay"),
        ("cycles of delay, median", "median_delay"),
    ):
        values = [getattr(each, name) for each in found.values()]
        lines.append(f"{words:40}{values[0]:>10}{values[1]:>10}")
    return "\n".join(lines) + "\n"


def _answers(said: Sequence[Said | None], worth: Verdict) -> dict[str, Any]:
    return {"said": runs(said), "is_right": worth.is_right, **asdict(worth)}


def as_json(cases: Sequence[Judged]) -> dict[str, Any]:
    """Return all of it as data."""
    return {
        "cases": [
            {
                "case": case.life.case,
                "scene": case.scene.name,
                "nats": case.scene.version,
                "time": case.scene.time,
                "account": case.life.account,
                "limit": case.life.limit,
                "truth": case.life.words(moment.at for moment in case.scene.moments),
                "ours": _answers(case.ours, case.our_worth),
                "plain": _answers(case.plain, case.plain_worth),
            }
            for case in cases
        ],
        "sums": {name: found._asdict() for name, found in sums(cases).items()},
    }
