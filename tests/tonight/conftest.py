"""The people of the admin pages' tests."""

from __future__ import annotations

from tests.admin.conftest import boss as boss
from tests.admin.conftest import newcomer as newcomer
