"""The state: what was learned outlives the process, in one SQLite file.

One process owns the file, and in it one thread. A save is one transaction, so
that a process that is killed leaves the last whole one behind.
"""

from nats_idle_exporter.state.batch import Batch, VerdictChange
from nats_idle_exporter.state.historian import Historian
from nats_idle_exporter.state.keeper import Keeper, Loaded
from nats_idle_exporter.state.store import Store

__all__ = ["Batch", "Historian", "Keeper", "Loaded", "Store", "VerdictChange"]
