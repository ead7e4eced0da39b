"""Settings that every test shares."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: how long one example takes says nothing.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
