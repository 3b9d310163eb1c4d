"""One house per database; its journeys run in one process of pytest-xdist, the two databases side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import House, house


@pytest.fixture(
    scope="session", params=[pytest.param(d, marks=pytest.mark.xdist_group(d)) for d in ("postgres", "sqlite")]
)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp(request.param), request.param) as running:
        yield running
