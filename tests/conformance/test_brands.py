"""Every brand passes the same suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.brands import BRANDS
from tests.conformance.suite import DoorConformance, Street


@pytest.fixture(scope="module", params=BRANDS)
def long_street(request: pytest.FixtureRequest) -> Iterator[Street]:
    with BRANDS[request.param]() as street:
        yield street


class TestBrand(DoorConformance):
    @pytest.fixture
    def street(self, long_street: Street) -> Street:
        long_street.reset()
        return long_street
