"""How an account of operator mode is deleted, and the imports from it before."""

from __future__ import annotations

from typing import assert_never

from nats_idle_exporter.removal.facts import Importer
from nats_idle_exporter.removal.wayout.common import importers_words
from nats_idle_exporter.removal.wayout.making import Task, health, nats, nsc, reloads
from nats_idle_exporter.removal.wayout.publishing import publish
from nats_idle_exporter.removal.wayout.steps import Command, Phase, Resolver, Step
from nats_idle_exporter.removal.words import quoted


def importers_step(task: Task) -> Step:
    """Return the step that takes the account out of other accounts' JWTs."""
    notes: list[str] = []
    commands: list[Command] = []
    for importer in task.facts.importers:
        state = f", which is {importer.verdict}," if importer.verdict else ""
        subjects = ", ".join(quoted(each.subject) for each in importer.imports)
        notes.append(f"{quoted(importer.name)}{state} imports {subjects}.")
        made = _import_removals(task, importer)
        commands += made
        if not made:
            notes.append("No command line can carry these names: edit its JWT by hand.")
    return Step(
        phase=Phase.DELETE,
        title="Remove the imports of other accounts",
        notes=(*notes, *importers_words(task)),
        warnings=(
            (
                "An import that is left is gone after the next restart of a server, "
                "without a word, and its importer's first login there takes 2 seconds."
            ),
        ),
        commands=tuple(commands),
        checks=(health(task, "every server is well"),),
    )


def _import_removals(task: Task, importer: Importer) -> tuple[Command, ...]:
    removals = [
        nsc(
            "delete",
            "import",
            f"--account={importer.name}",
            f"--subject={each.subject}",
            f"--src-account={each.account}",
            purpose=f"takes one import out of {quoted(importer.name)}",
        )
        for each in importer.imports
    ]
    if not all(removals):
        return ()
    flat = tuple(command for removal in removals for command in removal)
    return (*flat, *publish(task, importer.name))


def delete_step(task: Task) -> Step:
    """Return the step that deletes the account, on the servers first."""
    return Step(
        phase=Phase.DELETE,
        title="Delete the account",
        notes=_deletion_notes(task),
        warnings=_deletion_warnings(task),
        commands=(*_deleted_on_servers(task), *_deleted_locally(task)),
        checks=(*_listed(task), health(task, "every server is well")),
    )


def _deletion_notes(task: Task) -> tuple[str, ...]:
    key = task.facts.account
    match task.place.resolver:
        case Resolver.MEMORY:
            return (f"Take {key} out of resolver_preload of every server first.",)
        case Resolver.URL:
            return (f"Take the JWT of {key} out of the account server first.",)
        case Resolver.FULL:
            return ()
        case Resolver.UNKNOWN:
            return (
                (
                    "The push is for the full resolver. With MEMORY take its JWT out "
                    "of resolver_preload and reload; with an URL, out of the account "
                    "server."
                ),
            )
        case _:
            assert_never(task.place.resolver)


def _deletion_warnings(task: Task) -> tuple[str, ...]:
    words = (
        "Only while this exporter says that it is safe.",
        (
            "nsc delete account works on the local store only, and the last JWT is "
            "lost there: the servers come first."
        ),
    )
    if task.place.resolver not in {Resolver.FULL, Resolver.UNKNOWN}:
        return words
    return (
        *words,
        "The servers refuse to delete unless their resolver has allow_delete: true.",
        (
            "Do not use nsc push -P instead: it deletes every account that is not in "
            "this one local store. nsc push -A deletes none."
        ),
        "Servers list a deleted account until they are restarted.",
    )


def _deleted_on_servers(task: Task) -> tuple[Command, ...]:
    match task.place.resolver:
        case Resolver.FULL | Resolver.UNKNOWN:
            removal = f"--account-removal={task.facts.account}"
            return nsc("push", removal, purpose="deletes it on the servers")
        case Resolver.MEMORY:
            return (reloads(),)
        case Resolver.URL:
            return ()
        case _:
            assert_never(task.place.resolver)


def _deleted_locally(task: Task) -> tuple[Command, ...]:
    name = f"--name={task.facts.name}"
    return nsc("delete", "account", name, purpose="then deletes it in the local store")


def _listed(task: Task) -> tuple[Command, ...]:
    if task.place.resolver not in {Resolver.FULL, Resolver.UNKNOWN}:
        return ()
    return nats(
        "SYSTEM_CONTEXT",
        "request",
        "$SYS.REQ.CLAIMS.LIST",
        "",
        purpose=f"{task.facts.account} is in no answer",
    )
