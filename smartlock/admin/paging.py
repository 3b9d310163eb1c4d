"""Pages of long lists."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

from scheduler import overview


class Capped(Paginator):  # type: ignore[type-arg]
    """Counts no further than ``overview.COUNTED`` rows: nobody turns so many pages, and a full count reads them all."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        found: int = rows.order_by().values("pk")[: overview.COUNTED + 1].count()
        return min(overview.COUNTED, found)
