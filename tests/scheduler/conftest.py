from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scheduler.kinds_for_tests import doing


@pytest.fixture(autouse=True)
def nothing_to_do() -> Iterator[None]:
    doing.clear()
    yield
    doing.clear()
