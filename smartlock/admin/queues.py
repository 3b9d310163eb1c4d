"""The queues: what waits in each, how fast it is worked off, and the lever that stops one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.views import ChangeList

from scheduler import clock, queues
from scheduler.health import stats
from scheduler.models import Queue
from smartlock.admin.base import DASH, Page, actor, answer, button, column, label, link, moment, verb

if TYPE_CHECKING:
    QueueFormBase = ModelForm[Queue]
else:
    QueueFormBase = ModelForm


class QueueForm(QueueFormBase):
    class Meta:
        model = Queue
        fields = ["concurrency", "rate", "burst", "keep_done", "keep_done_days", "keep_failed"]
        labels = {
            "concurrency": capfirst(_("jobs at a time")), "rate": capfirst(_("starts per second")),
            "burst": capfirst(_("burst")), "keep_done": capfirst(_("done jobs kept")),
            "keep_done_days": capfirst(_("days they are kept")), "keep_failed": capfirst(_("failed jobs kept")),
        }  # fmt: skip
        help_texts = {
            "concurrency": _("in each worker process"),
            "rate": _("over all workers together; blank = no limit"),
            "burst": _("how many may start at once after a quiet time"),
            "keep_done": _("at the most; the oldest go first"),
            "keep_done_days": _("after that they go, however few they are"),
            "keep_failed": _("blank = all, until somebody clears them"),
        }


class WithCounts(ChangeList):  # type: ignore[misc]  # Unfold has no types
    """Gives each queue the numbers of its jobs, in one query for all."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        _count(self.result_list)


def _count(rows: list[Any]) -> None:
    counts = stats(clock.now())
    for row in rows:
        row.counts = counts.get(row.name, {})


@admin.register(Queue)
class QueuePage(Page):
    form = QueueForm
    list_display = ["called", "state", "waiting", "delayed", "active", "failed", "done", "pace"]
    fieldsets = [
        (None, {"fields": ["state", ("waiting", "delayed"), ("active", "failed", "done")]}),
        (_("Pace"), {"fields": ["concurrency", ("rate", "burst")]}),
        (_("How long jobs are kept"), {"fields": [("keep_done", "keep_done_days"), "keep_failed"]}),
    ]
    readonly_fields = ["state", "waiting", "delayed", "active", "failed", "done"]
    actions = ["pause", "resume"]
    actions_detail = ["pause_here", "resume_here"]
    actions_detail_hide_default = True
    warn_unsaved_form = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("scheduler.change_queue")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return WithCounts

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            _count([row])
        return row

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """One lever, in the position in which it is."""
        paused = Queue.objects.filter(pk=object_id, paused_at__isnull=False).exists()
        idle = "pause_here" if paused else "resume_here"
        return [item for item in super().get_actions_detail(request, object_id) if not item.action_name.endswith(idle)]  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Queue, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        if values:  # only what was edited: somebody may have paused it meanwhile
            queues.change(obj.name, actor=actor(request), **values)

    # --- reading -----------------------------------------------------------------------------------------------

    @column(_("queue"), ordering="name")
    def called(self, queue: Queue) -> str:
        return queue.name

    @column(_("state"), ordering="paused_at")
    def state(self, queue: Queue) -> SafeString:
        if queue.paused_at is None:
            return label(_("at work"), "success")
        who = _("by %(who)s") % {"who": queue.paused_by}
        return format_html("{} {} {}", label(_("paused"), "warning"), moment(queue.paused_at), who)

    @column(_("waiting"))
    def waiting(self, queue: Any) -> SafeString | str:
        return _number(queue, "waiting")

    @column(_("later"))
    def delayed(self, queue: Any) -> SafeString | str:
        return _number(queue, "delayed")

    @column(_("running"))
    def active(self, queue: Any) -> SafeString | str:
        return _number(queue, "active", "running")

    @column(_("failed"))
    def failed(self, queue: Any) -> SafeString | str:
        return _number(queue, "failed", "failed")

    @column(_("done"))
    def done(self, queue: Any) -> SafeString | str:
        return _number(queue, "completed", "succeeded")

    @column(_("pace"))
    def pace(self, queue: Queue) -> str:
        at_a_time = _("%(count)d at a time") % {"count": queue.concurrency}
        if queue.rate is None:
            return str(at_a_time)
        return f"{at_a_time}, {_('%(rate)g per second') % {'rate': queue.rate}}"

    # --- steering ----------------------------------------------------------------------------------------------

    @verb(_("Pause"))
    def pause(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        count = sum(queues.pause(row.name, now=clock.now(), actor=actor(request)) for row in queryset)
        done = ngettext("%(count)d queue is paused.", "%(count)d queues are paused.", count)
        answer(request, count, done % {"count": count}, _("They were paused before."))

    @verb(_("Resume"))
    def resume(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        count = sum(queues.resume(row.name, now=clock.now(), actor=actor(request)) for row in queryset)
        done = ngettext("%(count)d queue goes on.", "%(count)d queues go on.", count)
        answer(request, count, done % {"count": count}, _("They were not paused."))

    pause_here = button(
        "pause", _("Pause"),
        _("Start no job of this queue until somebody resumes it? What runs already is finished; PINs and messages "
          "that fall due meanwhile will be late."),
        icon="pause_circle",
    )  # fmt: skip
    resume_here = button(
        "resume", _("Resume"), _("Go on with this queue? What came due meanwhile starts within seconds."),
        icon="play_circle",
    )  # fmt: skip


def _number(queue: Any, name: str, state: str = "") -> SafeString | str:
    """A count, as a link to those jobs where a filter shows them."""
    count = queue.counts.get(name, 0)
    if not state or not count:
        return str(count) if count else DASH
    jobs = reverse("admin:scheduler_job_changelist")
    return link(f"{jobs}?state__exact={state}&queue={queue.name}", count)
