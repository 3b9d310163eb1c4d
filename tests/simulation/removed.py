"""The parts of the engine that keep its promises, each to be taken out, so that one sees that somebody notices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import connection, models

from scheduler import claims, dispatcher, guard, rescue, runner, transitions
from scheduler.models import Job

FENCE = "job_one_exclusive_running_per_subject"


@contextmanager
def version_fence() -> Iterator[None]:
    """Whoever holds an older version counts as the holder."""
    real = models.QuerySet.filter

    def whatever_version(pairs: Iterable[tuple[int, int]]) -> str:
        return f"id IN ({', '.join(str(job_id) for job_id, _ in pairs)})"

    def without_version(rows: Any, *args: Any, **wanted: Any) -> Any:
        if rows.model is Job:
            wanted.pop("version", None)
        return real(rows, *args, **wanted)

    with (
        mock.patch.object(models.QuerySet, "filter", without_version),
        mock.patch.object(transitions, "meant", whatever_version),
    ):
        yield


@contextmanager
def lease_sweep() -> Iterator[None]:
    """Nobody looks for the dead."""
    with mock.patch.object(rescue, "rescue", return_value=0):
        yield


@contextmanager
def guard_in_redis() -> Iterator[None]:
    """Alone it is no loss: the row's fence keeps the promise."""
    with mock.patch.object(guard.Guard, "take", return_value=None):
        yield


@contextmanager
def fence_in_the_row() -> Iterator[None]:
    """Alone it is a loss only while Redis is away or was emptied."""
    [fence] = [one for one in Job._meta.constraints if one.name == FENCE]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Job, fence)
    try:
        yield
    finally:
        Job.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Job, fence)


@contextmanager
def guard_and_fence() -> Iterator[None]:
    with guard_in_redis(), fence_in_the_row():
        yield


@contextmanager
def check_before_effects() -> Iterator[None]:
    """Tasks do not ask whether they still hold their job."""
    with mock.patch.object(claims.Run, "check", return_value=None):
        yield


@contextmanager
def wait_for_the_moment() -> Iterator[None]:
    """A message that comes early is believed."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(runner, "EARLY_SECONDS", 10_000.0))
        stack.enter_context(mock.patch("scheduler.runner.time.sleep", return_value=None))
        yield


@contextmanager
def second_message() -> Iterator[None]:
    """The dispatcher trusts that what it once published arrives."""
    with mock.patch.object(dispatcher, "LOST_AFTER", timedelta(days=1)):
        yield


PARTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    part.__name__: part
    for part in (
        version_fence, lease_sweep, guard_and_fence, check_before_effects, wait_for_the_moment,
        second_message,
    )
}  # fmt: skip
