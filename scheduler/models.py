"""A job is a row; the row is the schedule. Celery only carries ``(id, version)`` to a worker near the due time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Job(models.Model):
    """One thing to do at one time. Only ``scheduler.transitions`` changes ``state``."""

    class State(models.TextChoices):
        # Waiting for its time. In: schedule, retry, put back, rescue. Out: claim, cancel. A crash leaves it as it is.
        SCHEDULED = "scheduled", _("scheduled")
        # A worker holds it under a lease. In: claim. Out: finish, put back, fail, cancel. A crash: rescue puts it back.
        RUNNING = "running", _("running")
        # Done. Kept for a while, then pruned.
        SUCCEEDED = "succeeded", _("succeeded")
        # Called off before or while it ran; no effect begins after this is committed.
        CANCELLED = "cancelled", _("cancelled")
        # The dead-letter shelf: kept until someone retries or clears it.
        FAILED = "failed", _("failed")

    LIVE = (State.SCHEDULED, State.RUNNING)

    kind = models.CharField(max_length=64, help_text="the Celery task's name, such as 'locks.generate_pin'")
    subject = models.CharField(max_length=64, blank=True, help_text="what it is about, such as 'reservation:17'")
    live_key = models.CharField(
        max_length=128, blank=True, help_text="no two live jobs share it; blank = no such promise"
    )
    payload = models.JSONField(default=dict, blank=True, help_text="ids only, never a secret")
    queue = models.CharField(max_length=16, default="default")
    priority = models.PositiveSmallIntegerField(default=5, help_text="1 (high) to 10 (low)")
    exclusive = models.BooleanField(default=False, help_text="never beside another exclusive job of the same subject")
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.SCHEDULED)
    due_at = models.DateTimeField(_("due"), help_text="when it is meant to happen; retries leave it alone")
    run_at = models.DateTimeField(help_text="when to try next")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="pointless from then on")
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    version = models.PositiveIntegerField(default=1, help_text="raised by every move; an older message does nothing")
    published_at = models.DateTimeField(null=True, blank=True, help_text="when this version was last given to Celery")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="how long the worker may be silent")
    worker = models.CharField(max_length=100, blank=True)
    by_hand = models.CharField(
        max_length=150, blank=True, help_text="who asked for the next try or called it off, if a person did"
    )
    last_error = models.TextField(blank=True)
    progress = models.PositiveSmallIntegerField(null=True, blank=True, help_text="percent, for jobs that tell it")
    progress_text = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        ordering = ["run_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["live_key"],
                condition=Q(state__in=["scheduled", "running"]) & ~Q(live_key=""),
                name="job_one_live_per_key",
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(state="running", exclusive=True),
                name="job_one_exclusive_running_per_subject",
            ),
            models.CheckConstraint(condition=Q(priority__range=(1, 10)), name="job_priority_1_to_10"),
            models.CheckConstraint(condition=Q(max_attempts__gte=1), name="job_at_least_one_attempt"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False)
                | (~Q(state="running") & Q(lease_until__isnull=True)),
                name="job_lease_while_running_only",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["scheduled", "running"], finished_at__isnull=True)
                | (~Q(state__in=["scheduled", "running"]) & Q(finished_at__isnull=False)),
                name="job_finished_at_when_over",
            ),
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=Q(state="scheduled"), name="job_due"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_leases"),
            models.Index(fields=["subject"], condition=~Q(subject=""), name="job_by_subject"),
            # The kind is carried along so that a scrape can count a million jobs without reading their rows.
            models.Index(fields=["state", "queue", "run_at", "kind"], name="job_counts"),
            # Which done jobs a queue may forget: in the order of their end, so that nothing has to be sorted.
            models.Index(
                fields=["queue", "finished_at", "id"],
                condition=Q(state__in=["succeeded", "cancelled"]),
                name="job_done",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    def is_live(self) -> bool:
        return self.state in self.LIVE

    def delay_seconds(self, now: datetime) -> int:
        """Seconds until it is tried next; 0 when it is due, over or running."""
        if self.state != self.State.SCHEDULED:
            return 0
        return max(0, round((self.run_at - now).total_seconds()))


class JobAttempt(models.Model):
    """One try. Written when the worker claims, completed when it ends: a crash leaves evidence instead of silence."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("started")
        SUCCEEDED = "succeeded", _("succeeded")
        RETRY = "retry", _("to be tried again")
        WAITING = "waiting", _("put back, not an attempt")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled meanwhile")
        LOST = "lost", _("lost with its worker")

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.STARTED)
    error_class = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    worker = models.CharField(max_length=100, blank=True)
    lateness_ms = models.BigIntegerField(default=0, help_text="start of this try minus the time it was set for")
    by_hand = models.CharField(max_length=150, blank=True, help_text="who had it run, when it was not its time")

    class Meta:
        verbose_name, verbose_name_plural = _("try"), _("tries")
        ordering = ["started_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(finished_at__gte=F("started_at")),
                name="attempt_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "started_at"], name="attempt_by_job"),
            models.Index(fields=["started_at"], name="attempt_by_time"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of job {self.job_id}: {self.outcome}"

    @property
    def duration_ms(self) -> int | None:
        if self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class Queue(models.Model):
    """How one queue is worked off. The rows are made with the database; operators change and pause them."""

    name = models.CharField(max_length=16, primary_key=True)
    concurrency = models.PositiveSmallIntegerField(default=8, help_text="jobs at a time in each worker process")
    rate = models.FloatField(null=True, blank=True, help_text="starts per second over all workers; blank = no limit")
    burst = models.PositiveSmallIntegerField(default=10, help_text="how many may start at once after a quiet time")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="when a person was told that due work waits in it")
    keep_done = models.PositiveIntegerField(default=100_000, help_text="how many done jobs are kept at the most")
    keep_done_days = models.PositiveSmallIntegerField(default=30)
    keep_failed = models.PositiveIntegerField(
        null=True, blank=True, help_text="how many failed jobs are kept; blank = all, until somebody clears them"
    )

    class Meta:
        verbose_name, verbose_name_plural = _("queue"), _("queues")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gt=0), name="queue_rate_above_zero"),
            models.CheckConstraint(condition=Q(concurrency__gte=1), name="queue_works_at_all"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


class Heartbeat(models.Model):
    """The last sign of life of a part that works in the background, such as the dispatcher."""

    name = models.CharField(max_length=32, primary_key=True)
    beat_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("sign of life"), _("signs of life")

    def __str__(self) -> str:
        return self.name


class AttemptTotal(models.Model):
    """How many tries ended how, how late they began and how long they took: outlives the attempts themselves.

    ``scheduler.totals`` adds the finished attempts and ``smartlock.metrics`` shows them. One row per combination that
    occurred; the row without a kind is the mark up to which attempt the totals reach, and the lock of those who add.
    """

    kind = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    lateness_le_ms = models.PositiveIntegerField(help_text="upper bound of the histogram's bucket")
    duration_le_ms = models.PositiveIntegerField(help_text="upper bound of the histogram's bucket")
    attempts = models.BigIntegerField(default=0)
    lateness_ms = models.BigIntegerField(default=0, help_text="sum")
    duration = models.DurationField(default=timedelta, help_text="sum")
    up_to = models.BigIntegerField(
        default=0, help_text="attempts up to this id are contained (row without a kind only)"
    )

    class Meta:
        ordering = ["kind", "outcome", "lateness_le_ms", "duration_le_ms"]
        verbose_name = _("sum of tries")
        verbose_name_plural = _("sums of tries")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "outcome", "lateness_le_ms", "duration_le_ms"], name="attempt_total_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.outcome}: {self.attempts}"


from scheduler.recurring.models import RecurringJob as RecurringJob  # noqa: E402  Django looks for models here
from scheduler.recurring.models import RecurringRun as RecurringRun  # noqa: E402
