from __future__ import annotations

import pytest

# The shared suite is not a test module by name; its asserts deserve to be explained all the same.
pytest.register_assert_rewrite("tests.conformance.suite")
