"""Settings that every test shares."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

# A busy machine is no failure: how long one example takes says nothing.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")

EVIDENCE = "evidence"
"""The property of a test that is printed when all have run."""

_TRACES = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage has itself started in new processes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run more tests than there are cores: tests of real servers mostly wait."""
    return len(os.sched_getaffinity(0)) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let pytest-cov alone trace the workers, or it could not stop where it should."""
    os.environ.pop(_TRACES, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop what pytest-cov starts in a worker before it knows that it is one."""
    plugin = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and plugin and plugin.cov_controller:
        plugin.cov_controller.pause()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Trace no process that a test starts which itself is not traced."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("no_cover"):
            patch.delenv(_TRACES, raising=False)
        return (yield)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print what tests noted as evidence."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == EVIDENCE:
                terminalreporter.write(f"\n{text}")


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what a test does to the logging of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
