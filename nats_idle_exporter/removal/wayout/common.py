"""The steps that both modes share: waiting, backup, purge, copies, a last look."""

from __future__ import annotations

from nats_idle_exporter.removal.wayout.making import (
    Task,
    asked_for,
    health,
    nats,
)
from nats_idle_exporter.removal.wayout.quoting import is_token, objection, yaml_glob
from nats_idle_exporter.removal.wayout.steps import Command, Phase, Snippet, Step
from nats_idle_exporter.removal.words import (
    counted,
    day,
    duration,
    moment,
    quoted,
    size,
)

GRACE_SECONDS = 30 * 86_400.0
"""What is shown where no rule says how long the grace is."""


_PATIENCE = "Go on when the check shows no stream on any server; it takes a moment."


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
    if objection(account):
        return ()
    grace = task.dossier.entry.decommission.grace_seconds or GRACE_SECONDS
    disabled_at = task.now_at if stage.disabled_at is None else stage.disabled_at
    text = (
        f"- match: {yaml_glob(account)}\n"
        "  decommission:\n"
        f"    disabled_on: {day(disabled_at)}\n"
        f"    grace: {duration(grace)}\n"
        "    # approved_by: who said yes; only once somebody did"
    )
    purpose = (
        "in this exporter's configuration, first in accounts: it starts the grace; "
        "keep what a rule of the account says already"
    )
    return (Snippet(text=text, purpose=purpose),)


def backup_step(
    open_door: tuple[tuple[Snippet, ...], tuple[Command, ...]],
    close_door: tuple[Command, ...],
    task: Task,
) -> Step:
    """Return the step that saves the streams.

    Args:
        open_door: what lets one client in.
        close_door: what lets nobody in again.
        task: whose streams.
    """
    snippets, opening = open_door
    save = nats(
        "ACCOUNT_CONTEXT",
        "account",
        "backup",
        "--critical-warnings",
        "BACKUP_DIRECTORY",
        purpose="saves every stream, with credentials of the account itself",
    )
    return Step(
        phase=Phase.DELETE,
        title="Back up what it holds",
        notes=(
            _holding_words(task),
            (
                "The backup logs in to the account: it has to be let in for that time, "
                "and must be kept out again."
            ),
        ),
        warnings=(
            (
                "A login is use: this exporter calls the account active then, and "
                "starts its grace anew."
            ),
            "Streams in memory are not saved.",
            "A leafnode link that is still up takes the one place: end it first.",
        ),
        snippets=snippets,
        commands=(*opening, *save, *close_door),
        checks=nats(
            "OTHER_CONTEXT",
            "account",
            "restore",
            "BACKUP_DIRECTORY",
            purpose="in an empty account elsewhere: a backup is one when it was "
            "restored once",
        ),
    )


def _holding_words(task: Task) -> str:
    held = task.facts.holdings
    if held is None:
        return "It is not known what it holds."
    return (
        f"It holds {counted(held.streams, 'stream')} with "
        f"{counted(held.messages, 'message')}, {size(held.bytes)}."
    )


def purge_step(task: Task) -> Step:
    """Return the step that deletes all streams, while the account still is there."""
    account = task.facts.account
    title = "Purge its JetStream, before the account goes"
    late = (
        "An account that is deleted while it has streams leaves them on disk, and "
        "/healthz of its servers fails with 503, at once or after their next restart."
    )
    warnings = ("This cannot be undone.", late)
    checks = asked_for(task, "/jsz?streams=1&acc=", "shows no stream_detail any more")
    if is_token(account):
        return Step(
            phase=Phase.DELETE,
            title=title,
            notes=(_PATIENCE,),
            warnings=warnings,
            commands=nats(
                "SYSTEM_CONTEXT",
                "server",
                "account",
                "purge",
                "--",
                account,
                purpose="deletes all streams and consumers; asks first",
            ),
            checks=checks,
        )
    return Step(
        phase=Phase.DELETE,
        title=title,
        notes=(
            (
                "The purge of a whole account names it in a subject, which cannot be "
                "done with this name: its streams have to be deleted one by one."
            ),
            "That logs in to the account: do it while the backup's door is open.",
            _PATIENCE,
        ),
        warnings=warnings,
        commands=_stream_removals(task),
        checks=checks,
    )


def _stream_removals(task: Task) -> tuple[Command, ...]:
    held = task.facts.holdings
    names = held.names if held else ()
    removals = [
        command
        for name in names
        for command in nats(
            "ACCOUNT_CONTEXT",
            "stream",
            "rm",
            "--",
            name,
            purpose="deletes one stream; asks first",
        )
    ]
    rest = nats("ACCOUNT_CONTEXT", "stream", "ls", purpose="shows what is left")
    return (*removals, *rest)


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
