"""A short run of the fuzzing; ``make chaos`` has the long one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.mutation import mutate
from tests.chaos.targets import TARGETS

pytestmark = pytest.mark.no_cover


@pytest.mark.parametrize("name", TARGETS)
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(data=st.data())
def test_no_input_raises_anything_else(name: str, data: st.DataObject) -> None:
    """Damaged input is refused with the error that is written down, or is read."""
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    random = Random(data.draw(st.integers(0, 2**32)))

    target.run(mutate(seed, random))


@given(st.binary(max_size=2000))
@settings(derandomize=True, database=None, deadline=None, max_examples=100)
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    """Any bytes at all are refused with that error, or are read."""
    for target in TARGETS.values():
        target.run(data)
