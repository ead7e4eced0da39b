"""Prometheus' own checker accepts the page."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from nats_idle_exporter.metrics import Format, ProcessMetrics, render
from tests.metrics.builders import an_account, of_accounts
from tests.metrics.test_hostile_names import NAMES

PROMTOOL = shutil.which("promtool")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not on PATH")
def test_promtool_accepts_a_page_of_hostile_names() -> None:
    """The Go parser reads the page and its linter has nothing to say."""
    publication = of_accounts(*map(an_account, NAMES))
    page = render(publication, ProcessMetrics().read())[Format.TEXT]

    check = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=page,
        capture_output=True,
        check=False,
    )

    assert (check.returncode, check.stdout, check.stderr) == (0, b"", b"")
