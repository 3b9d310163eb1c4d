from __future__ import annotations

import pytest

from locks.tuya import TuyaProvider
from tests.locks.tuya.fake_cloud import FakeCloud, provider_at

# The shared suite is not a test module by name; its asserts deserve to be explained all the same.
pytest.register_assert_rewrite("tests.conformance.suite")


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud()


@pytest.fixture
def provider(cloud: FakeCloud) -> TuyaProvider:
    return provider_at(cloud)
