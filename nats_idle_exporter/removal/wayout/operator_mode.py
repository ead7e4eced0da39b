"""The way out of an account that lives by its JWT."""

from __future__ import annotations

from typing import assert_never

from nats_idle_exporter.removal.facts import UNLIMITED, Importer
from nats_idle_exporter.removal.wayout.common import (
    backup_step,
    copies_steps,
    importers_words,
    last_step,
    purge_step,
    wait_step,
)
from nats_idle_exporter.removal.wayout.making import (
    Task,
    asked_for,
    health,
    nats,
    nsc,
    reloads,
)
from nats_idle_exporter.removal.wayout.quoting import objection
from nats_idle_exporter.removal.wayout.steps import Command, Phase, Resolver, Step
from nats_idle_exporter.removal.words import quoted

_PRELOAD = "With the MEMORY resolver nothing is pushed: the new JWT goes into "
_UNKNOWN_RESOLVER = (
    f"{_PRELOAD}resolver_preload of every server, which is then told to reload."
)


def operator_steps(task: Task) -> tuple[Step, ...]:
    """Return all steps of an account of operator mode."""
    backup = () if task.holds_nothing else (_backup_step(task),)
    give_back = (_give_back_step(task),) if task.reserves else ()
    repair = (
        "If one answers 503 and that the account could not be resolved: give the "
        "servers its last JWT again, purge, and delete again."
    )
    return (
        _disable_step(task),
        wait_step(task),
        *backup,
        purge_step(task),
        *give_back,
        *copies_steps(task),
        _importers_step(task),
        _delete_step(task),
        last_step(task, repair),
    )


def _publish(task: Task, name: str) -> tuple[Command, ...]:
    if task.place.resolver is not Resolver.MEMORY:
        return nsc("push", f"--account={name}", purpose="tells the servers")
    words = ("--mem-resolver", "--config-file=RESOLVER_FILE", "--force")
    written = nsc(
        "generate", "config", *words, purpose="writes what every server has to include"
    )
    return (*written, reloads())


def _limited(
    task: Task, connections: int, leafnodes: int, purpose: str
) -> tuple[Command, ...]:
    name = task.facts.name
    edited = nsc(
        "edit",
        "account",
        f"--name={name}",
        f"--conns={connections}",
        f"--leaf-conns={leafnodes}",
        purpose=purpose,
    )
    # Half of it would be worse than nothing: no push without the edit.
    return (*edited, *_publish(task, name)) if edited else ()


def _key_words(task: Task) -> tuple[str, ...]:
    name, key = quoted(task.facts.name), task.facts.account
    words = (
        (
            f"nsc knows accounts by their name in its own store, servers know {key}. "
            f"Look first whether {name} is that key there: two accounts may have one "
            "name."
        ),
    )
    if reason := objection(task.facts.name):
        return (
            *words,
            (
                f"The commands of nsc that need the name are left out: {reason}. Find "
                "the name in the store with nsc list accounts."
            ),
        )
    return words


def _disable_step(task: Task) -> Step:
    before = task.facts.limits
    limits = None if before is None or before.is_disabled else before
    connections, leafnodes = limits or (UNLIMITED, UNLIMITED)
    told = "its limits before" if limits else "unlimited, or the limits that it had"
    unclear = task.place.resolver is Resolver.UNKNOWN
    return Step(
        phase=Phase.DISABLE,
        title="Let nobody connect any more",
        notes=(
            *_key_words(task),
            (
                "Clients and leafnode links are cut at once. Streams and exports stay; "
                "others reach them through their imports."
            ),
            *([_UNKNOWN_RESOLVER] if unclear else []),
        ),
        warnings=(
            "nsc edit changes the local store only; servers learn it by the push.",
            "Revoking users is not enough: a user that is issued later may log in.",
            (
                "Do not let the JWT expire instead: a server with streams of an "
                "expired account is not well after its next restart, and a full "
                "resolver removes the file of the JWT."
            ),
        ),
        commands=(*_looked_up(task), *_limited(task, 0, 0, "lets nobody in")),
        checks=(
            *asked_for(
                task,
                "/accountz?acc=",
                "client_connections and leafnode_connections are 0, or the account is "
                "not loaded (400), on every server",
            ),
            health(task, "every server is as well as before"),
        ),
        undo=_limited(task, connections, leafnodes, told),
    )


def _looked_up(task: Task) -> tuple[Command, ...]:
    return nsc(
        "describe",
        "account",
        f"--name={task.facts.name}",
        purpose=f"must show the account id {task.facts.account}",
    )


def _backup_step(task: Task) -> Step:
    opening = ((), _limited(task, 1, 0, "lets one client in"))
    return backup_step(opening, _limited(task, 0, 0, "lets nobody in again"), task)


def _give_back_step(task: Task) -> Step:
    name = task.facts.name
    edited = nsc(
        "edit",
        "account",
        f"--name={name}",
        "--js-mem-storage=0",
        "--js-disk-storage=0",
        purpose="turns JetStream off for it",
    )
    return Step(
        phase=Phase.DELETE,
        title="Turn its JetStream off",
        notes=("Only after the purge.",),
        commands=(*edited, *_publish(task, name)) if edited else (),
        checks=(health(task, "every server is well"),),
    )


def _importers_step(task: Task) -> Step:
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
            "An import that is left is gone after the next restart of a server, without "
            "a word, and its importer's first login there waits for two seconds.",
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
    return (*flat, *_publish(task, importer.name))


def _delete_step(task: Task) -> Step:
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
