"""A recurring job: what django-celery-beat's PeriodicTask lacks, beside it; and one row for each of its runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scheduler.recurring import categories, targets
from scheduler.recurring.schedules import FIELDS, Cron, Every, Schedule

if TYPE_CHECKING:
    from typing import Any

UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
LONGEST_TIMEOUT = 6 * 3600
MOST_RETRIES = 10


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    # Not started: its time was missed, or the run before was still at work.
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")


class RecurringJob(models.Model):
    """The schedule and the switch are the PeriodicTask's; beat only knocks, ``next_run_at`` decides.

    A job without a target is one of the engine's own ticks: beat sends its task directly, and nobody may edit it.
    """

    class Category(models.TextChoices):
        BUSINESS = categories.BUSINESS, _("business")
        SYSTEM = categories.SYSTEM, _("system")
        MAINTENANCE = categories.MAINTENANCE, _("maintenance")

    class Missed(models.TextChoices):
        """When the machine was off at its time."""

        SKIP = "skip", _("skip it")
        ONCE = "once", _("run once as soon as possible")

    task: models.OneToOneField[Any, Any] = models.OneToOneField(
        "django_celery_beat.PeriodicTask", on_delete=models.CASCADE, related_name="recurring"
    )
    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True, help_text="blank: the target's title, in the reader's language")
    category = models.CharField(_("category"), max_length=16, choices=Category)
    target = models.CharField(max_length=64, blank=True)
    params = models.JSONField(default=dict, blank=True, help_text="never a secret")
    missed = models.CharField(max_length=8, choices=Missed, default=Missed.ONCE)
    timeout = models.PositiveIntegerField(default=3600, help_text="seconds; after that a run is stopped")
    retries = models.PositiveSmallIntegerField(default=2)
    next_run_at = models.DateTimeField(null=True, blank=True, help_text="none while it is switched off")
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(_("last result"), max_length=16, choices=RunStatus, blank=True)
    last_duration_ms = models.BigIntegerField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    runs_total = models.PositiveIntegerField(default=0)
    runs_failed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("recurring job"), _("recurring jobs")
        ordering = ["category", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(timeout__range=(1, LONGEST_TIMEOUT)) & Q(retries__lte=MOST_RETRIES),
                name="recurring_limits",
            )
        ]
        indexes = [models.Index(fields=["next_run_at"], name="recurring_due")]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def title(self) -> object:
        if self.name:
            return self.name
        known = self.target in targets.names()
        return targets.get(self.target).title if known else self.slug

    @property
    def subject(self) -> str:
        return f"recurring:{self.pk}"

    @property
    def live_key(self) -> str:
        """What keeps two runs from overlapping: the engine has at most one live job of it."""
        return self.subject

    @property
    def is_direct(self) -> bool:
        return not self.target

    @property
    def is_standing(self) -> bool:
        """The product's own: to be switched and tuned, not deleted."""
        return self.is_direct or (
            self.slug == self.target and self.target in targets.names() and targets.get(self.target).is_standing
        )

    @property
    def enabled(self) -> bool:
        return bool(self.task.enabled)

    @property
    def schedule(self) -> Schedule:
        interval, crontab = self.task.interval, self.task.crontab
        if crontab is None:
            return Every(interval.every * UNITS[interval.period])
        fields = [str(getattr(crontab, name)).replace(" ", "") for name in FIELDS]
        return Cron(" ".join(fields), ZoneInfo(str(crontab.timezone)))

    @property
    def timezone(self) -> str:
        return str(self.task.crontab.timezone) if self.task.crontab else settings.TIME_ZONE


class RecurringRun(models.Model):
    """One run. Its tries are those of the engine's job, which is cleared away earlier."""

    Status = RunStatus
    OPEN = (RunStatus.QUEUED, RunStatus.RUNNING)

    class Trigger(models.TextChoices):
        SCHEDULED = "scheduled", _("by its schedule")
        MANUAL = "manual", _("by hand")

    recurring = models.ForeignKey(
        RecurringJob, on_delete=models.CASCADE, related_name="runs", verbose_name=_("recurring job")
    )
    engine_job = models.BigIntegerField(null=True, blank=True, help_text="the number of its row among the jobs")
    trigger = models.CharField(_("trigger"), max_length=16, choices=Trigger)
    by = models.CharField(max_length=150, blank=True)
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.QUEUED)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("run"), _("runs")
        ordering = ["-planned_at", "-id"]
        indexes = [
            models.Index(fields=["recurring", "-planned_at"], name="recurring_runs"),
            models.Index(fields=["planned_at"], name="recurring_runs_by_time"),
            models.Index(fields=["id"], condition=Q(status__in=["queued", "running"]), name="recurring_runs_open"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def duration_ms(self) -> int | None:
        return milliseconds(self.started_at, self.finished_at)


def milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else round((end - start).total_seconds() * 1000)
