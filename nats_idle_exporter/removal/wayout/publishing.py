"""How an account's JWT is changed, and how servers learn of it."""

from __future__ import annotations

from nats_idle_exporter.removal.wayout.making import Task, nsc, reloads
from nats_idle_exporter.removal.wayout.steps import Command, Resolver


def publish(task: Task, name: str) -> tuple[Command, ...]:
    """Return how servers learn of the newest JWT of an account of this name."""
    if task.place.resolver is not Resolver.MEMORY:
        return nsc("push", f"--account={name}", purpose="tells the servers")
    words = ("--mem-resolver", "--config-file=RESOLVER_FILE", "--force")
    written = nsc(
        "generate", "config", *words, purpose="writes what every server has to include"
    )
    return (*written, reloads())


def limited(
    task: Task, connections: int, leafnodes: int, purpose: str
) -> tuple[Command, ...]:
    """Return how both limits of the account are set, and told to the servers.

    None where its name cannot be said; ``purpose`` is that of the edit.
    """
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
    return (*edited, *publish(task, name)) if edited else ()
