"""The way out: the commands that remove one account, printed for a person to run.

Pure code: a dossier goes in, steps come out. Nothing here runs anything.
"""

from nats_idle_exporter.removal.wayout.steps import (
    NOWHERE,
    Command,
    Phase,
    Place,
    Resolver,
    Snippet,
    Source,
    Step,
    WayOut,
)
from nats_idle_exporter.removal.wayout.text import render_text
from nats_idle_exporter.removal.wayout.way import way_out

__all__ = [
    "NOWHERE",
    "Command",
    "Phase",
    "Place",
    "Resolver",
    "Snippet",
    "Source",
    "Step",
    "WayOut",
    "render_text",
    "way_out",
]
