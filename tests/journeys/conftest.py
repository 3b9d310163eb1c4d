"""The fixture ``home``: one house per database; its journeys run in one process of pytest-xdist.

It ends with the last journey: a house with nothing to do takes two processor seconds a minute from the other tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import House, house

DATABASES = [pytest.param(name, marks=pytest.mark.journey) for name in ("postgres", "sqlite")]


@pytest.fixture(scope="package", params=DATABASES)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp(request.param), request.param) as running:
        yield running
