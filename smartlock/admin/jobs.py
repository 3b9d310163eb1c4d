"""The machine room's main page: what is to be done, is being done, was done, and what lies on the dead-letter shelf."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from scheduler import clock
from scheduler.models import Job, JobAttempt
from smartlock.admin import words
from smartlock.admin.base import (
    DASH,
    AboutStays,
    MachineInline,
    block,
    column,
    fact,
    label,
    moment,
)
from smartlock.admin.charts import charts
from smartlock.admin.finding import KindFilter, QueueFilter, matching, tabs
from smartlock.admin.steering import Steering


class AttemptInline(MachineInline):
    model = JobAttempt
    verbose_name_plural = _("tries")
    fields = ["number_of", "outcome_label", "started", "late", "took", "by", "hand", "trouble"]
    readonly_fields = ["number_of", "outcome_label", "started", "late", "took", "by", "hand", "trouble"]
    ordering = ["-started_at", "-id"]
    per_page = 50

    number_of = fact("number", _("try"))
    by = fact("worker", _("worker"))
    hand = fact("by_hand", _("by hand"))

    @column(_("outcome"))
    def outcome_label(self, row: JobAttempt) -> SafeString:
        return label(row.get_outcome_display(), words.OUTCOME_TONES[JobAttempt.Outcome(row.outcome)])

    @column(_("started"))
    def started(self, row: JobAttempt) -> SafeString | str:
        return moment(row.started_at)

    @column(_("late by"))
    def late(self, row: JobAttempt) -> str:
        return f"{row.lateness_ms} ms"

    @column(_("took"))
    def took(self, row: JobAttempt) -> str:
        return DASH if row.duration_ms is None else f"{row.duration_ms} ms"

    @column(_("error"))
    def trouble(self, row: JobAttempt) -> SafeString | str:
        if row.traceback:
            return format_html(
                "{}<details><summary>{}</summary>{}</details>", row.error, _("traceback"), block(row.traceback)
            )
        return row.error or DASH


@admin.register(Job)
class JobPage(Steering, AboutStays):
    list_display = ["what", "about", "state_label", "due", "next_try", "tries", "trouble"]
    list_filter = ["state", KindFilter, QueueFilter, "due_at"]
    list_before_template = "smartlock/admin/jobs_head.html"
    search_fields = ["pk"]  # that there is a search; `get_search_results` says what is searched
    search_help_text = _("guest, reservation (any id), unit, lock, kind, or the number of a job")
    ordering = ["-id"]  # cheap however many there are; the column titles sort by anything else
    fieldsets = [
        (None, {"fields": [("deed", "about"), ("state_label", "tries"), ("due", "next_try"), ("expires", "how_far")]}),
        (_("Last error"), {"fields": ["whole_error"]}),
        (_("Machine"), {"fields": [("kind_name", "queue_name"), ("rank", "data"), ("by", "lease"), ("key", "move"),
                                   ("created", "finished")]}),
    ]  # fmt: skip
    inlines = [AttemptInline]
    actions = ["retry", "retry_spread", "run_now", "reschedule", "change_priority", "cancel", "clear_failed"]
    actions_detail = ["retry_here", "run_now_here", "reschedule_here", "change_priority_here", "cancel_here"]

    kind_name = fact("kind", _("kind"))
    queue_name = fact("queue", _("queue"))
    rank = fact("priority", _("priority (1 high, 10 low)"))
    by = fact("worker", _("worker"))
    key = fact("live_key", _("live key"))
    move = fact("version", _("version"))

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.change_job")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["deed", "about", "state_label", "tries", "due", "next_try", "expires", "how_far", "whole_error",
                "kind_name", "queue_name", "rank", "data", "by", "lease", "key", "move", "created",
                "finished"]  # fmt: skip

    class Media:
        css = {"all": ["smartlock/jobs.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        return matching(queryset, search_term), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the tabs; the pictures tell of all jobs, so they stand on the first page of what is not searched."""
        head: dict[str, Any] = {}
        if request.method == "GET" and self.has_view_permission(request):
            head = {"tabs": tabs(request), "charts": [] if set(request.GET) & {"q", "p"} else charts(clock.now())}
        return super().changelist_view(request, {"jobs_head": head, **(extra_context or {})})

    # --- reading -----------------------------------------------------------------------------------------------

    @column(_("job"), ordering="kind", header=True)
    def what(self, job: Any) -> list[str]:
        """With the door, for a stay may have several; of a lock's own jobs the next column says it."""
        door = job.door.name if job.door and job.stay else ""
        return [words.kind(job.kind), f"#{job.pk} {door}".strip()]

    @column(_("job"))
    def deed(self, job: Any) -> str:
        door = f" ({job.door})" if job.door and job.stay else ""
        return f"{words.kind(job.kind)} #{job.pk}{door}"

    @column(_("state"), ordering="state")
    def state_label(self, job: Job) -> SafeString:
        text, running = job.get_state_display(), job.state == Job.State.RUNNING
        percent = f" {job.progress} %" if running and job.progress is not None else ""
        return label(f"{text}{percent}", words.JOB_TONES[Job.State(job.state)])

    @column(_("progress"))
    def how_far(self, job: Job) -> SafeString | str:
        if job.progress is None:
            return DASH
        return format_html(
            '<progress class="sl-progress" max="100" value="{0}">{0} %</progress> {0} % {1}',
            job.progress, job.progress_text,
        )  # fmt: skip

    @column(_("due"), ordering="run_at")  # its index holds; a retry is due later than it was meant to be
    def due(self, job: Any) -> SafeString | str:
        return self.at(job, job.due_at)

    @column(_("next try"), ordering="run_at")
    def next_try(self, job: Any) -> SafeString | str:
        return self.at(job, job.run_at) if job.is_live() and job.run_at != job.due_at else DASH

    @column(_("tries"), ordering="attempt")
    def tries(self, job: Job) -> str:
        return f"{job.attempt} / {job.max_attempts}" if job.max_attempts < 100 else str(job.attempt)

    @column(_("last error"))
    def trouble(self, job: Job) -> SafeString | str:
        short = job.last_error if len(job.last_error) <= 90 else job.last_error[:89] + "…"
        return format_html('<span class="sl-clip" title="{}">{}</span>', job.last_error, short) if short else DASH

    @column(_("last error"))
    def whole_error(self, job: Job) -> SafeString | str:
        return block(job.last_error)

    @column(_("pointless from"))
    def expires(self, job: Any) -> SafeString | str:
        return self.at(job, job.expires_at)

    @column(_("lease until"))
    def lease(self, job: Any) -> SafeString | str:
        return self.at(job, job.lease_until)

    @column(_("created"))
    def created(self, job: Any) -> SafeString | str:
        return self.at(job, job.created_at)

    @column(_("ended"))
    def finished(self, job: Any) -> SafeString | str:
        return self.at(job, job.finished_at)

    @column(_("data"))
    def data(self, job: Job) -> SafeString | str:
        return block(job.payload)
