"""Accounts by other sources than the servers' monitoring endpoints.

In operator mode a server knows only the accounts that somebody used since its
start. Those that nobody ever uses are listed elsewhere: in the folder of a
resolver, a configuration file, a store of ``nsc``, a list kept by hand, or by
the servers' system services. Every source is read only, never written to.
"""

from nats_idle_exporter.monitoring.inventory.accounts import (
    AccountImport,
    AccountLimits,
    InventoryAccount,
    Problem,
    SourceError,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory.reader import InventoryReader
from nats_idle_exporter.monitoring.inventory.sources import FileSource, ListsAccounts
from nats_idle_exporter.monitoring.inventory.union import Inventory, SourceStatus

__all__ = [
    "AccountImport",
    "AccountLimits",
    "FileSource",
    "Inventory",
    "InventoryAccount",
    "InventoryReader",
    "ListsAccounts",
    "Problem",
    "SourceError",
    "SourceList",
    "SourceStatus",
]
