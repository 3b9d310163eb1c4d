"""Recurring jobs: the list with their switches, the editor with a preview, the history of runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from scheduler import clock
from scheduler.models import RecurringJob
from scheduler.recurring import services
from scheduler.recurring.errors import RecurringError
from scheduler.recurring.models import RunStatus
from scheduler.recurring.schedules import upcoming
from scheduler.recurring.words import in_words
from smartlock.admin.base import (
    DASH,
    Page,
    actor,
    answer,
    button,
    column,
    label,
    link,
    moment,
    verb,
)
from smartlock.admin.recurring_form import CRON, INTERVAL, TIMES, RecurringForm, WhenForm
from smartlock.admin.recurring_runs import TONES, seconds

FACTS = ("name", "category", "missed", "timeout", "retries", "params", "description", "schedule")


@admin.register(RecurringJob)
class RecurringPage(Page):
    form = RecurringForm
    list_display = ["title", "kind", "switched", "in_words", "next_run", "last_run", "last_result"]
    list_filter = ["category", "task__enabled", "last_status"]
    list_before_template = "smartlock/admin/recurring_head.html"
    search_fields = ["slug", "name", "target"]
    list_per_page = 100
    show_full_result_count = False
    actions = ["run_now", "switch_on", "switch_off"]
    actions_detail = ["run_now_here", "switch_on_here", "switch_off_here"]
    actions_detail_hide_default = True
    warn_unsaved_form = True
    # Of the three ways to say when, the chosen one is shown; without JavaScript all of them are.
    conditional_fields = {
        "times": f"how == '{TIMES}'", "weekdays": f"how == '{TIMES}'", "every": f"how == '{INTERVAL}'",
        "unit": f"how == '{INTERVAL}'", "cron": f"how == '{CRON}'", "timezone": f"how != '{INTERVAL}'",
    }  # fmt: skip
    head = ("switched", "in_words", "next_run", "last_run", "last_result", "counts", "history")
    readonly_fields = [*head, "title", "kind", "what", "about", "preview"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RecurringJob]:
        return RecurringJob.objects.select_related("task", *services.ALONG)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Who may switch has the switch in the row."""
        may = self.has_operate_permission(request)
        return ["lever" if may and name == "switched" else name for name in self.list_display]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["title", "kind", "what", *self.head, "about"]})]
        what = {"fields": [("slug", "name"), "target", "params", ("category", "description")]}
        when = {"fields": ["how", "times", "weekdays", ("every", "unit"), "cron", "timezone", "preview"]}
        wrong = {"fields": [("timeout", "retries"), "missed"]}
        head = [(None, {"fields": list(self.head)})] if obj else []
        return [*head, (_("What it does"), what), (_("When"), when), (_("When something goes wrong"), wrong)]

    def get_urls(self) -> list[Any]:
        preview = self.admin_site.admin_view(self.preview_view)
        switch = self.admin_site.admin_view(require_POST(self.switch_view))
        return [
            path("preview/", preview, name="scheduler_recurringjob_preview"),
            path("<int:pk>/switch/", switch, name="scheduler_recurringjob_switch"),
            *super().get_urls(),
        ]

    # --- who may ------------------------------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_direct)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and not obj.is_standing

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("scheduler.change_recurringjob"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """One lever, in the position in which it is; none on the engine's own pulse."""
        job = self.get_queryset(request).filter(pk=object_id).first()
        if job is None or job.is_direct:
            return []
        idle = "switch_on_here" if job.enabled else "switch_off_here"
        return [item for item in super().get_actions_detail(request, object_id) if not item.action_name.endswith(idle)]  # type: ignore[misc]

    # --- writing, by way of the services ------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: RecurringJob, form: Any, change: bool) -> None:
        facts = {name: form.cleaned_data[name] for name in FACTS}
        if change:
            stored = self.get_queryset(request).get(pk=obj.pk)
            services.change(stored, now=clock.now(), actor=actor(request), **facts)
            return
        made = services.create(
            obj.slug, target=form.cleaned_data["target"], now=clock.now(), actor=actor(request), **facts
        )
        obj.pk = made.pk
        obj.task = made.task

    def delete_model(self, request: HttpRequest, obj: RecurringJob) -> None:
        services.delete(obj, now=clock.now(), actor=actor(request))

    @verb(_("Run now"))
    def run_now(self, request: HttpRequest, queryset: QuerySet[RecurringJob]) -> None:
        for job in queryset:
            try:
                services.run_now(job, now=clock.now(), actor=actor(request))
                messages.success(request, str(_("The run of %(job)s is on its way.") % {"job": job}))
            except RecurringError as error:
                messages.warning(request, str(error))

    @verb(_("Switch on"))
    def switch_on(self, request: HttpRequest, queryset: QuerySet[RecurringJob]) -> None:
        _switch(request, queryset, on=True)

    @verb(_("Switch off"))
    def switch_off(self, request: HttpRequest, queryset: QuerySet[RecurringJob]) -> None:
        _switch(request, queryset, on=False)

    run_now_here = button(
        "run_now", _("Run now"), _("Start a run of this job now, beside its schedule?"), icon="play_arrow"
    )
    switch_on_here = button(
        "switch_on", _("Switch on"), _("Switch this job on? It first runs at its next time, never at once."),
        icon="toggle_on",
    )  # fmt: skip
    switch_off_here = button(
        "switch_off", _("Switch off"), _("Switch this job off? What runs already is finished."), icon="toggle_off"
    )

    # --- reading ------------------------------------------------------------------------------------------------

    @column(_("recurring job"), ordering="slug")
    def title(self, job: RecurringJob) -> str:
        return str(job.title)

    @column(_("category"), ordering="category")
    def kind(self, job: RecurringJob) -> str:
        return job.get_category_display()

    @column(_("switched on"), ordering="task__enabled")
    def switched(self, job: RecurringJob) -> SafeString:
        if job.is_direct:
            return label(_("always on"), "info")
        return label(_("on"), "success") if job.enabled else label(_("off"))

    @column(_("switched on"), ordering="task__enabled")
    def lever(self, job: RecurringJob) -> SafeString:
        """A button that sends the other position, so that a stale page never switches the wrong way."""
        if job.is_direct:
            return self.switched(job)
        return format_html(
            '<button class="sl-switch" type="submit" form="sl-switches" formaction="{}" name="on" value="{}"'
            ' role="switch" aria-checked="{}"><span class="sl-unseen">{}</span>'
            '<span aria-hidden="true">{}</span></button>',
            reverse("admin:scheduler_recurringjob_switch", args=[job.pk]), "0" if job.enabled else "1",
            "true" if job.enabled else "false", job.title, _("on") if job.enabled else _("off"),
        )  # fmt: skip

    @column(_("schedule"))
    def in_words(self, job: RecurringJob) -> SafeString:
        zone = job.timezone if job.task.crontab else ""
        return format_html("{}{}", in_words(job.schedule), format_html(" <small>{}</small>", zone) if zone else "")

    @column(_("next run"), ordering="next_run_at")
    def next_run(self, job: RecurringJob) -> SafeString | str:
        return moment(job.next_run_at)

    @column(_("last run"), ordering="last_run_at")
    def last_run(self, job: RecurringJob) -> SafeString | str:
        return moment(job.task.last_run_at if job.is_direct else job.last_run_at)

    @column(_("last result"), ordering="last_status")
    def last_result(self, job: RecurringJob) -> SafeString | str:
        if not job.last_status:
            return DASH
        shown = label(job.get_last_status_display(), TONES[RunStatus(job.last_status)])
        took = job.last_duration_ms
        beside = "" if took is None else format_html(" <small>{}</small>", seconds(took))
        return format_html('<span title="{}">{}{}</span>', job.last_error[:200], shown, beside)

    @column(_("runs"))
    def counts(self, job: RecurringJob) -> str:
        text = ngettext("%(runs)d run, %(failed)d failed", "%(runs)d runs, %(failed)d failed", job.runs_total)
        return text % {"runs": job.runs_total, "failed": job.runs_failed}

    @column(_("History"))
    def history(self, job: RecurringJob) -> SafeString:
        url = f"{reverse('admin:scheduler_recurringrun_changelist')}?recurring__id__exact={job.pk}"
        shown = [
            (moment(run.planned_at), label(run.get_status_display(), TONES[RunStatus(run.status)]),
             seconds(run.duration_ms), run.error[:100])
            for run in job.runs.all()[:5]
        ]  # fmt: skip
        rows = format_html_join("", "<li>{} {} {} {}</li>", shown)
        told = format_html("<ul>{}</ul>", rows) if shown else format_html("<p>{}</p>", _("none yet"))
        return format_html("{}{}", told, link(url, _("All its runs")))

    @column(_("what it does"))
    def what(self, job: RecurringJob) -> str:
        return job.target or str(job.task.task)

    @column(_("description"))
    def about(self, job: RecurringJob) -> str:
        if job.is_direct:
            return str(_("This is the engine's own pulse: shown, not to be changed."))
        return job.task.description or DASH

    @column(_("The next five runs"))
    def preview(self, job: RecurringJob | None) -> SafeString:
        return format_html(
            '<button type="button" class="sl-link" hx-post="{}" hx-include="closest form" hx-target="#sl-preview">{}'
            '</button><div id="sl-preview" aria-live="polite">{}</div>',
            reverse("admin:scheduler_recurringjob_preview"), _("Preview the next runs"),
            _next_five(job.schedule) if job is not None and job.pk else "",
        )  # fmt: skip

    def switch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The switch of a row; back to the list as it was filtered."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        _switch(request, self.get_queryset(request).filter(pk=pk), on=request.POST.get("on") == "1")
        back = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if is_ours else reverse("admin:scheduler_recurringjob_changelist"))

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the form as it is filled in would mean; nothing is saved."""
        if not self.has_operate_permission(request):
            raise PermissionDenied
        form = WhenForm(request.POST)
        if form.is_valid():
            return HttpResponse(_next_five(form.cleaned_data["schedule"]))
        faults = [str(fault) for some in form.errors.values() for fault in some]
        return HttpResponse(format_html_join("", '<p class="sl-bad">{}</p>', ((fault,) for fault in faults)))


def _switch(request: HttpRequest, jobs: QuerySet[RecurringJob], *, on: bool) -> None:
    done = 0
    for job in jobs:
        try:
            done += services.switch(job, on, now=clock.now(), actor=actor(request))
        except RecurringError as error:
            messages.warning(request, str(error))
    text = ngettext("%(count)d job is switched.", "%(count)d jobs are switched.", done) % {"count": done}
    answer(request, done, text, _("No job was switched: they were so already, or belong to the engine."))


def _next_five(schedule: Any) -> SafeString:
    zone = getattr(schedule, "zone", None)
    times = ((moment(at, zone),) for at in upcoming(schedule, clock.now()))
    return format_html("<p>{}</p><ol>{}</ol>", in_words(schedule), format_html_join("", "<li>{}</li>", times))
