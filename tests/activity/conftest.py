"""What the tests of JetStream share; other tests of the folder have their own."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Verdict
from tests.activity.builders import A, Process, Watcher
from tests.activity.rounds import BOOT, a_stream, watch


@pytest.fixture
def server() -> Process:
    """One server that started a day before it was first read."""
    server = Process("SA", A, start=BOOT)
    server.loaded_at = BOOT
    return server


@pytest.fixture
def watcher() -> Watcher:
    """A system of one server, not read yet."""
    return Watcher(A)


@pytest.fixture
def idle(watcher: Watcher, server: Process) -> Watcher:
    """A system whose account owns a written stream and was raised."""
    watch(watcher, server, a_stream())
    assert watcher.account().verdict is Verdict.INACTIVE
    assert watcher.account().is_observed
    return watcher
