"""The history of recurring jobs: one row per run, with what became of it."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from scheduler.models import Job, RecurringRun
from scheduler.recurring.models import RunStatus
from smartlock.admin.base import DASH, MachinePage, block, column, label, moment, page_of

TONES = {
    RunStatus.QUEUED: "info", RunStatus.RUNNING: "warning", RunStatus.SUCCEEDED: "success",
    RunStatus.FAILED: "danger", RunStatus.SKIPPED: "", RunStatus.CANCELLED: "",
}  # fmt: skip


@admin.register(RecurringRun)
class RecurringRunPage(MachinePage):
    list_display = ["planned", "about", "result", "why", "took", "error_start"]
    list_filter = ["status", "trigger", "recurring"]
    list_select_related = ["recurring"]
    fields = ("about", "planned", "result", "why", "began", "ended", "took", "trouble", "engine")
    readonly_fields = fields

    @column(_("planned for"), ordering="planned_at")
    def planned(self, run: RecurringRun) -> SafeString | str:
        return moment(run.planned_at)

    @column(_("recurring job"), ordering="recurring__slug")
    def about(self, run: RecurringRun) -> SafeString:
        return page_of(run.recurring)

    @column(_("status"), ordering="status")
    def result(self, run: RecurringRun) -> SafeString:
        return label(run.get_status_display(), TONES[RunStatus(run.status)])

    @column(_("trigger"), ordering="trigger")
    def why(self, run: RecurringRun) -> str:
        return f"{run.get_trigger_display()} {run.by}".strip()

    @column(_("started"), ordering="started_at")
    def began(self, run: RecurringRun) -> SafeString | str:
        return moment(run.started_at)

    @column(_("finished"), ordering="finished_at")
    def ended(self, run: RecurringRun) -> SafeString | str:
        return moment(run.finished_at)

    @column(_("took"))
    def took(self, run: RecurringRun) -> str:
        return seconds(run.duration_ms)

    @column(_("error"))
    def error_start(self, run: RecurringRun) -> str:
        return run.error[:80] or DASH

    @column(_("error"))
    def trouble(self, run: RecurringRun) -> SafeString | str:
        return block(run.error, plain=True)

    @column(_("job"))
    def engine(self, run: RecurringRun) -> SafeString | str:
        job = Job.objects.filter(pk=run.engine_job).first() if run.engine_job else None
        return page_of(job) if job else DASH


def seconds(duration_ms: int | None) -> str:
    return DASH if duration_ms is None else f"{duration_ms / 1000:.1f} s"
