"""The steps that save and delete what an account holds; both modes share them."""

from __future__ import annotations

from nats_idle_exporter.removal.wayout.making import (
    Task,
    asked_for,
    nats,
)
from nats_idle_exporter.removal.wayout.quoting import is_token
from nats_idle_exporter.removal.wayout.steps import Command, Phase, Snippet, Step
from nats_idle_exporter.removal.words import (
    counted,
    size,
)

_PATIENCE = "Go on when the check shows no stream on any server; it takes a moment."


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
