"""The steps that both modes share: waiting, copies, a last look."""

from __future__ import annotations

from math import ceil

from nats_idle_exporter.removal.wayout.making import (
    Task,
    health,
)
from nats_idle_exporter.removal.wayout.quoting import objection, yaml_glob
from nats_idle_exporter.removal.wayout.steps import Phase, Snippet, Step
from nats_idle_exporter.removal.words import (
    counted,
    duration,
    moment,
    quoted,
)

DAY_SECONDS = 86_400.0


def wait_step(task: Task) -> Step:
    """Return the step in which nothing is done."""
    return Step(
        phase=Phase.WAIT,
        title="Wait until the grace is over",
        notes=(
            *_grace_words(task),
            (
                "Whoever still needs the account is refused now, and may say so; then "
                "the first step is taken back."
            ),
            "This exporter announces an account that is used again in this time.",
        ),
        snippets=_registry_rule(task),
    )


def _grace_words(task: Task) -> tuple[str, ...]:
    ends_at = task.dossier.stage.grace_ends_at
    if ends_at is None:
        return ()
    if task.now_at >= ends_at:
        return (f"The grace ended at {moment(ends_at)}.",)
    left = duration(ends_at - task.now_at)
    return (f"The grace ends at {moment(ends_at)}, in {left}.",)


def _registry_rule(task: Task) -> tuple[Snippet, ...]:
    account, stage = task.facts.account, task.dossier.stage
    match = yaml_glob(account)
    if match is None or objection(account):
        return ()
    # Whole days, never less than what holds.
    days = ceil(task.dossier.entry.decommission.grace_seconds / DAY_SECONDS)
    disabled_at = task.now_at if stage.disabled_at is None else stage.disabled_at
    # A day alone would mean its first moment, and the grace would end too early.
    stamp = moment(disabled_at).replace(" UTC", ":00Z").replace(" ", "T")
    text = (
        f"- match: {match}\n"
        "  decommission:\n"
        f"    disabled_on: {stamp}\n"
        f"    grace: {days}d\n"
        "    # approved_by: who said yes; only once somebody did"
    )
    purpose = (
        "in this exporter's configuration, first in accounts, where the servers do not "
        "show that nobody may connect: it starts the grace; keep what a rule of the "
        "account says already"
    )
    return (Snippet(text=text, purpose=purpose),)


def copies_steps(task: Task) -> tuple[Step, ...]:
    """Return the step about streams elsewhere that copy from it, if any may."""
    facts = task.facts
    if not facts.copies and facts.are_copies_known:
        return ()
    notes = [
        f"Stream {quoted(copy.stream)} of {quoted(copy.name)} "
        f"{'mirrors' if copy.is_mirror else 'sources from'} it."
        for copy in facts.copies
    ]
    if not facts.are_copies_known:
        notes.append("Not all streams of other accounts are known: ask their owners.")
    notes.append("Their owners have to change or delete those streams.")
    return (
        Step(
            phase=Phase.DELETE,
            title="Stop the streams that copy from it",
            notes=tuple(notes),
            warnings=(
                "A mirror that loses its origin gets nothing new, and no error.",
            ),
        ),
    )


def importers_words(task: Task) -> tuple[str, ...]:
    """Return how sure it is that no other account imports from it."""
    unknown = task.facts.importers_unknown
    if unknown == 0:
        return () if task.facts.importers else ("Nobody is known to import from it.",)
    if unknown is None:
        return ("It is not known which accounts there are: others may import from it.",)
    return (f"Nobody told what {counted(unknown, 'more account')} may import from it.",)


def last_step(task: Task, repair: str) -> Step:
    """Return the last look.

    Args:
        task: whose account.
        repair: what to do when a server is not well.
    """
    return Step(
        phase=Phase.DELETE,
        title="Look once more after the next restart of every server",
        notes=(repair,),
        warnings=(
            (
                "Some servers are well until they are restarted. Restart one, look at "
                "it, and only then the next."
            ),
        ),
        checks=(health(task, 'every server answers {"status":"ok"} 200'),),
    )
