"""The parts that come with Celery: task results and signs of life. Beat's own pages give way to ``recurring``."""

from __future__ import annotations

from typing import Any

import django_celery_beat.admin  # noqa: F401  registers what is taken away below
import django_celery_results.admin  # noqa: F401  registers what is replaced below
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from django_celery_results.models import GroupResult, TaskResult

from scheduler.models import Heartbeat
from smartlock.admin.base import MachinePage, block, column, fact, label, moment

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
