"""Fixtures of the tests that play faults before real servers."""

from __future__ import annotations

import pytest

from tests.support.servers import VERSIONS


@pytest.fixture(params=VERSIONS)
def nats_version(request: pytest.FixtureRequest) -> str:
    """Each pinned version of nats-server."""
    version: str = request.param
    return version
