from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.world import World, simulated_world


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """A world of its own on the test's database, with real commits."""
    with simulated_world() as made:
        yield made
