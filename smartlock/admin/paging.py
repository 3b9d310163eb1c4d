"""Pages of long lists."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.views import ChangeList

from scheduler import overview


class Capped(Paginator):  # type: ignore[type-arg]
    """Counts no further than ``overview.COUNTED`` rows: nobody turns so many pages, and a full count reads them all.

    A search that finds few has to read the whole table; so it is asked once, for the numbers of what fits on
    one page and one more, and neither counted nor asked again.
    """

    @cached_property
    def _first(self) -> list[Any]:
        rows: Any = self.object_list
        return list(rows.values_list("pk", flat=True)[: self.per_page + 1])

    @cached_property
    def _has_one_page(self) -> bool:
        return len(self._first) <= self.per_page

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if self._has_one_page:
            return len(self._first)
        found: int = rows.order_by().values("pk")[: overview.COUNTED + 1].count()
        return min(overview.COUNTED, found)

    @property
    def only_page(self) -> QuerySet[Any] | None:
        """The rows, by their numbers, if all of them fit on one page."""
        rows: Any = self.object_list
        return rows.filter(pk__in=self._first) if self._has_one_page else None


class Searched(ChangeList):  # type: ignore[misc]  # Unfold has no types
    """What the list of such a table shows."""

    def get_results(self, request: HttpRequest) -> None:
        """Without the months above what was searched for: they would search all of it twice more."""
        super().get_results(request)
        if self.query:
            self.date_hierarchy = None
        if (found := self.paginator.only_page) is not None:
            self.result_list = found


class LongList:
    """For the page of a table that grows for years."""

    list_per_page = 50
    paginator: Any = Capped
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return Searched


class FewRelated(admin.RelatedOnlyFieldListFilter):
    """Offered while there are few to choose from: 5,000 units would weigh more than the list, and a search finds one
    by its name. An address that names one is heeded all the same.
    """

    MOST = 200

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        related = field.related_model._default_manager
        if related.count() <= self.MOST:
            choices: list[tuple[Any, Any]] = super().field_choices(field, request, model_admin)
            return choices
        named = [text for text in self.lookup_val or () if text.isascii() and text.isdigit()]
        return [(one.pk, str(one)) for one in related.filter(pk__in=named)]

    def has_output(self) -> bool:
        return bool(self.lookup_val or self.lookup_val_isnull) or super().has_output()
