"""What the outside told us, byte for byte, and what became of it."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WebhookEvent(models.Model):
    """One accepted delivery. The body is kept as it came, so that signatures can be checked again later."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received, not yet processed")
        PROCESSED = "processed", _("processed")
        IGNORED = "ignored", _("of no concern to doors")
        PARKED = "parked", _("parked: needs a person")
        FAILED = "failed", _("given up: its job failed or was called off")

    class Verification(models.TextChoices):
        VERIFIED = "verified", _("signature verified")
        UNVERIFIABLE = "unverifiable", _("signature cannot be checked")

    OPEN = (State.RECEIVED, State.FAILED)  # what a job about the reservation settles

    source = models.CharField(max_length=32, default="stays")
    action = models.CharField(_("action"), max_length=64)
    external_id = models.CharField(max_length=64, blank=True, help_text="the reservation it points to")
    listing_id = models.CharField(
        max_length=64, blank=True, db_default="", help_text="the unmapped listing for which it is parked"
    )
    occurred_at = models.DateTimeField(null=True, blank=True, help_text="the sender's own time of the event")
    dedupe_key = models.CharField(max_length=64, unique=True)
    verification = models.CharField(_("verification"), max_length=16, choices=Verification)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    remote_address = models.GenericIPAddressField(null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.RECEIVED)
    reason = models.TextField(blank=True, help_text="why it is parked, given up or ignored")
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(default=timezone.now)
    handed_on_at = models.DateTimeField(null=True, blank=True, help_text="when a job was asked to look into it")
    replayed_at = models.DateTimeField(null=True, blank=True, help_text="when it was last asked to be processed again")
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        indexes = [
            models.Index(fields=["state", "-received_at"], name="event_by_state"),
            models.Index(fields=["external_id"], name="event_by_reservation"),
            models.Index(fields=["-received_at"], name="event_by_time"),
            models.Index(fields=["handed_on_at"], condition=models.Q(state="received"), name="event_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.external_id}"

    @property
    def subject(self) -> str:
        return f"event:{self.pk}"

    @property
    def waits_since(self) -> datetime:
        return self.replayed_at or self.received_at

    @property
    def about(self) -> str:
        """The subject of the job that looks into it: one reservation, one reader."""
        return f"stays:{self.external_id}"[:64] if self.external_id else self.subject


class Refusal(models.Model):
    """How many deliveries were turned away, by day and reason; nothing else of them is kept."""

    day = models.DateField()
    reason = models.CharField(_("reason"), max_length=32)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-day", "reason"]
        verbose_name = _("refused delivery")
        verbose_name_plural = _("refused deliveries")
        constraints = [models.UniqueConstraint(fields=["day", "reason"], name="refusal_once_per_day_and_reason")]

    def __str__(self) -> str:
        return f"{self.day} {self.reason}: {self.count}"
