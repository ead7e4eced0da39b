"""The way out of an account that lives by its JWT."""

from __future__ import annotations

from nats_idle_exporter.removal.facts import UNLIMITED
from nats_idle_exporter.removal.wayout.common import (
    copies_steps,
    last_step,
    wait_step,
)
from nats_idle_exporter.removal.wayout.emptying import backup_step, purge_step
from nats_idle_exporter.removal.wayout.making import (
    Task,
    asked_for,
    health,
    nsc,
)
from nats_idle_exporter.removal.wayout.operator_deletion import (
    delete_step,
    importers_step,
)
from nats_idle_exporter.removal.wayout.publishing import limited, publish
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
        importers_step(task),
        delete_step(task),
        last_step(task, repair),
    )


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
        commands=(*_looked_up(task), *limited(task, 0, 0, "lets nobody in")),
        checks=(
            *asked_for(
                task,
                "/accountz?acc=",
                "client_connections and leafnode_connections are 0, or the account is "
                "not loaded (400), on every server",
            ),
            health(task, "every server is as well as before"),
        ),
        undo=limited(task, connections, leafnodes, told),
    )


def _looked_up(task: Task) -> tuple[Command, ...]:
    return nsc(
        "describe",
        "account",
        f"--name={task.facts.name}",
        purpose=f"must show the account id {task.facts.account}",
    )


def _backup_step(task: Task) -> Step:
    opening = ((), limited(task, 1, 0, "lets one client in"))
    return backup_step(opening, limited(task, 0, 0, "lets nobody in again"), task)


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
        commands=(*edited, *publish(task, name)) if edited else (),
        checks=(health(task, "every server is well"),),
    )
