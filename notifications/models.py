"""What guests were told and what operators should know: facts. Neither row ever holds a PIN.

``notifications.telling`` writes messages, ``notifications.notices`` writes notices.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.decide import Template
from reservations.models import Reservation


class Message(models.Model):
    """One message to a guest, written before it is sent. The text is not kept: it holds the PIN."""

    class State(models.TextChoices):
        # Written as intent. A worker that dies and a mail server that falls silent leave it here: it may have arrived.
        SENDING = "sending", _("being sent, or interrupted: it may have arrived")
        # The mail server took it.
        SENT = "sent", _("sent")
        # It did not go out. Tried again for as long as its job lives.
        FAILED = "failed", _("did not go out")
        # There is no way to reach the guest; an operator was told. Not tried again until the address changes.
        SKIPPED = "skipped", _("not sent: the guest cannot be reached")

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")

    TEMPLATES = (
        (Template.PIN_READY.value, _("PIN ready")),
        (Template.PIN_CHANGED.value, _("PIN changed")),
        (Template.USE_INSTEAD.value, _("another code instead")),
        (Template.WINDOW_CHANGED.value, _("dates changed")),
        (Template.STAY_CANCELLED.value, _("stay cancelled")),
    )

    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="messages", verbose_name=_("reservation")
    )
    template = models.CharField(_("message"), max_length=32, choices=TEMPLATES)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel, default=Channel.EMAIL)
    to = models.CharField(_("to"), max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.SENDING)
    error = models.TextField(_("error"), blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=1)
    knows = models.JSONField(help_text=_("what the guest knows after it; PINs as fingerprints"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    again_at = models.DateTimeField(
        null=True, blank=True, help_text=_("an operator wanted it said again: from then on it counts as not said")
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("message to a guest")
        verbose_name_plural = _("messages to guests")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="message_sent_at_when_sent",
            ),
            models.CheckConstraint(condition=Q(state="skipped") | ~Q(to=""), name="message_goes_to_somebody"),
        ]
        indexes = [
            models.Index(fields=["reservation", "-id"], name="message_by_stay"),
            models.Index(fields=["state", "-created_at"], name="message_by_state"),
            models.Index(fields=["-created_at"], name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.to or '?'}"


class Notice(models.Model):
    """Something an operator should know or do. While it is unseen, the same thing is not written twice."""

    class Level(models.TextChoices):
        INFO = "info", _("for information")
        WARNING = "warning", _("look at it today")
        CRITICAL = "critical", _("act now")

    code = models.CharField(_("code"), max_length=64, help_text=_("a stable word, such as 'guest_without_email'"))
    level = models.CharField(_("level"), max_length=16, choices=Level, default=Level.WARNING)
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("text"))
    subject = models.CharField(_("subject"), max_length=64, help_text=_("what it is about, such as 'reservation:17'"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    emailed_at = models.DateTimeField(_("e-mailed"), null=True, blank=True)
    seen_at = models.DateTimeField(_("seen"), null=True, blank=True)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("seen by"),
    )  # fmt: skip

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["code", "subject"], condition=Q(seen_at__isnull=True), name="notice_once_while_unseen"
            ),
            models.CheckConstraint(
                condition=Q(seen_by__isnull=True) | Q(seen_at__isnull=False), name="notice_seen_by_when_seen"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], condition=Q(seen_at__isnull=True), name="notice_unseen"),
            models.Index(fields=["subject", "-created_at"], name="notice_by_subject"),
        ]

    def __str__(self) -> str:
        return self.title
