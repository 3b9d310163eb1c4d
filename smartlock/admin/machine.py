"""The parts that come with Celery, in our clothes: periodic tasks to edit, task results and signs of life to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_celery_results.admin  # noqa: F401  registers what is replaced below
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskAdmin, PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from django_celery_results.models import GroupResult, TaskResult
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from scheduler.models import Heartbeat
from smartlock.admin.base import MachinePage, Page, block, column, fact, label, moment

for _model in (
    PeriodicTask,
    IntervalSchedule,
    CrontabSchedule,
    SolarSchedule,
    ClockedSchedule,
    TaskResult,
    GroupResult,
):
    admin.site.unregister(_model)

RESULT_TONES = {"SUCCESS": "success", "FAILURE": "danger", "RETRY": "warning", "STARTED": "info", "PENDING": "info"}


class TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]  # neither has types
    """Beat's list of known tasks, drawn by Unfold."""


class TaskForm(PeriodicTaskForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["regtask"].widget = TaskSelect()
        self.fields["task"].widget = UnfoldAdminTextInputWidget()


if TYPE_CHECKING:
    TaskPageBase = Page
else:

    class TaskPageBase(PeriodicTaskAdmin, Page): ...


@admin.register(PeriodicTask)
class PeriodicTaskPage(TaskPageBase):
    form = TaskForm
    list_display = ["name", "enabled", "scheduler", "last_run", "total_run_count"]
    list_filter = ["enabled", "queue"]
    list_select_related = ["interval", "crontab", "solar", "clocked"]
    date_hierarchy = None

    @column(_("last run"), ordering="last_run_at")
    def last_run(self, task: Any) -> SafeString | str:
        return moment(task.last_run_at)


@admin.register(IntervalSchedule, CrontabSchedule, ClockedSchedule)
class SchedulePage(Page):
    """Small pages, reached from a periodic task's form."""


@admin.register(TaskResult)
class TaskResultPage(MachinePage):
    list_display = ["task_name", "task_id", "status_label", "done", "worker"]
    list_filter = ["status", "task_name", "date_done"]
    search_fields = ["task_id", "task_name"]
    fieldsets = [
        (None, {"fields": [("task_name", "task_id"), ("status_label", "worker"), ("created", "done")]}),
        (_("Result"), {"fields": ["task_args", "answer", "trace"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["task_name", "task_id", "status_label", "worker", "created", "done", "task_args", "answer", "trace"]

    @column(_("status"), ordering="status")
    def status_label(self, row: Any) -> SafeString:
        return label(row.status, RESULT_TONES.get(row.status, ""))

    @column(_("created"), ordering="date_created")
    def created(self, row: Any) -> SafeString | str:
        return moment(row.date_created)

    @column(_("done"), ordering="date_done")
    def done(self, row: Any) -> SafeString | str:
        return moment(row.date_done)

    @column(_("result"))
    def answer(self, row: Any) -> SafeString | str:
        return block(row.result)

    @column(_("traceback"))
    def trace(self, row: Any) -> SafeString | str:
        return block(row.traceback)


@admin.register(Heartbeat)
class HeartbeatPage(MachinePage):
    list_display = ["part", "beat"]
    fields = ["part", "beat"]
    readonly_fields = ["part", "beat"]

    part = fact("name", _("part"))

    @column(_("last sign of life"), ordering="beat_at")
    def beat(self, row: Heartbeat) -> SafeString | str:
        return moment(row.beat_at)
