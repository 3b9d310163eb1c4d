"""Who may use the API, and what was answered to writes that may be sent again."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ApiToken(models.Model):
    """A key for a script. Only a hash of it is kept: it is shown once, when ``smartlock.api.tokens`` makes it."""

    name = models.CharField(
        _("name"), max_length=60, unique=True, help_text=_("who uses it; the audit trail shows api:<name>")
    )
    hash = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    scopes = models.JSONField(_("scopes"), default=list)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("blank = never"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.CharField(_("created by"), max_length=150, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("API token"), _("API tokens")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class StoredAnswer(models.Model):
    """What was answered to a write with an ``Idempotency-Key``; no ``status`` yet means that it is being done."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="hash of method, address and body")
    started_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once_per_key")]
        indexes = [models.Index(fields=["started_at"], name="answer_by_time")]

    def __str__(self) -> str:
        return f"{self.token_id} {self.key}"
