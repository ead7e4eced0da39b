"""The way out of an account that stands in the servers' configuration."""

from __future__ import annotations

from nats_idle_exporter.removal.facts import UNLIMITED, Import, Importer
from nats_idle_exporter.removal.wayout.common import (
    copies_steps,
    importers_words,
    last_step,
    wait_step,
)
from nats_idle_exporter.removal.wayout.emptying import backup_step, purge_step
from nats_idle_exporter.removal.wayout.making import (
    Task,
    asked_for,
    health,
    reloads,
    tested,
)
from nats_idle_exporter.removal.wayout.quoting import config_key, config_value, is_token
from nats_idle_exporter.removal.wayout.steps import Phase, Snippet, Step
from nats_idle_exporter.removal.words import quoted

EVERYWHERE = "in the configuration of every server"
_CHANGE = (tested(), reloads())


def config_steps(task: Task) -> tuple[Step, ...]:
    """Return all steps of an account of configuration mode."""
    backup = () if task.holds_nothing else (_backup_step(task),)
    # An empty folder of an account that is gone makes a server sick as well. The purge
    # removes it; where that cannot be done, turning JetStream off does.
    is_left = not is_token(task.facts.account)
    give_back = (_give_back_step(task),) if task.reserves or is_left else ()
    repair = (
        "If one answers 503 and that the account could not be resolved: put the block "
        "back and reload, purge, and delete again."
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


def _block(task: Task, line: str, purpose: str) -> Snippet:
    key = config_key(task.facts.account)
    if key is None:
        where = f"in the block of this account, {EVERYWHERE}"
        return Snippet(text=line, purpose=f"{where}; {purpose}")
    text = f"{key}: {{\n  {line}\n  # what stands here already stays\n}}"
    where = f"in the block of this account in accounts, {EVERYWHERE}"
    return Snippet(text=text, purpose=f"{where}; {purpose}")


def _limits(task: Task, connections: int, leafnodes: int, purpose: str) -> Snippet:
    line = f"limits: {{ max_connections: {connections}, max_leafnodes: {leafnodes} }}"
    return _block(task, line, purpose)


def _disable_step(task: Task) -> Step:
    before = task.facts.limits
    limits = None if before is None or before.is_disabled else before
    connections, leafnodes = limits or (UNLIMITED, UNLIMITED)
    told = "these were its limits" if limits else "or the limits that it had before"
    return Step(
        phase=Phase.DISABLE,
        title="Let nobody connect any more",
        notes=("Streams and exports stay. Others reach them through their imports.",),
        warnings=(
            "A server that is left out still lets clients in.",
            (
                "A leafnode link that is up stays up until its side reconnects: "
                "restart that server, or take the remote out there."
            ),
            (
                "A second accounts block in the same file replaces the first one: "
                "change the block that is there."
            ),
        ),
        snippets=(_limits(task, 0, 0, "it may have limits already: change these two"),),
        commands=_CHANGE,
        checks=(
            *asked_for(
                task,
                "/accountz?acc=",
                "client_connections and leafnode_connections are 0 on every server",
            ),
            health(task, "every server is as well as before"),
        ),
        undo_snippets=(_limits(task, connections, leafnodes, told),),
        undo=_CHANGE,
    )


def _backup_step(task: Task) -> Step:
    one = _limits(task, 1, 0, "only while the backup runs; then both are 0 again")
    opening = ((one,), (reloads("lets one client in"),))
    closing = (reloads("after both limits were set to 0 again"),)
    return backup_step(opening, closing, task)


def _give_back_step(task: Task) -> Step:
    return Step(
        phase=Phase.DELETE,
        title="Turn its JetStream off",
        notes=("Only after the purge.",),
        snippets=(_block(task, "jetstream: disabled", "instead of what it says now"),),
        commands=_CHANGE,
        checks=(health(task, "every server is well"),),
    )


def _importers_step(task: Task) -> Step:
    lost = (
        "A configuration that imports from an account that is not there is refused: "
        "a reload changes nothing then, and a server that is restarted does not start."
    )
    return Step(
        phase=Phase.DELETE,
        title="Remove the imports of other accounts",
        notes=importers_words(task),
        warnings=(lost,),
        snippets=tuple(
            _import_snippet(importer, each)
            for importer in task.facts.importers
            for each in importer.imports
        ),
        commands=_CHANGE if task.facts.importers else (),
        checks=(health(task, "every server is well"),),
    )


def _import_snippet(importer: Importer, each: Import) -> Snippet:
    account, subject = config_value(each.account), config_value(each.subject)
    kind = "stream" if each.kind == "stream" else "service"
    state = f", which is {importer.verdict}" if importer.verdict else ""
    return Snippet(
        text=f"{{ {kind}: {{ account: {account}, subject: {subject} }} }}",
        purpose=(
            f"to be taken out of the imports of {quoted(importer.name)}{state}, "
            f"{EVERYWHERE}; it may have a prefix or a to beside"
        ),
    )


def _delete_step(task: Task) -> Step:
    return Step(
        phase=Phase.DELETE,
        title="Delete the account",
        notes=(
            (
                f"Take the block of {quoted(task.facts.account)} out of accounts, "
                f"{EVERYWHERE}, with its users."
            ),
            (
                "Take out what else names it or its users: no_auth_user, "
                "authorization, remotes of leafnodes, websocket and mqtt."
            ),
            "Keep the block where the backup is.",
        ),
        warnings=("Only while this exporter says that it is safe.",),
        commands=_CHANGE,
        checks=(
            *asked_for(task, "/accountz?acc=", "it does not exist, 400"),
            health(task, "every server is well"),
        ),
    )
