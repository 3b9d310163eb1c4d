"""The audit trail: rows that are written once and never changed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AuditLog(models.Model):
    """One thing that happened. ``actor`` is a user name, or ``system`` / ``webhook`` / ``command``."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=150)
    action = models.CharField(_("action"), max_length=64, help_text="verb with its room, such as 'pin.proven'")
    subject = models.CharField(max_length=64, help_text="what it was done to, such as 'reservation:17'")
    summary = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["subject", "-at"], name="audit_by_subject"),
            models.Index(fields=["action", "-at"], name="audit_by_action"),
        ]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
