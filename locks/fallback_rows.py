"""What was done for a guest before a door that did not take the PIN in time. ``locks.replacing`` writes."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from locks.fallback import HOUR
from locks.provider import Window


class Fallback(models.Model):
    """One time a door stayed shut to a guest: that an operator was told, and which code was handed out instead.

    A backup's digits stay sealed on its credential; an offline code's are sealed here, until it has ended.
    """

    class Kind(models.TextChoices):
        NONE = "", _("none yet")
        OFFLINE = "offline", _("offline code")
        BACKUP = "backup", _("backup PIN")

    reservation = models.ForeignKey(
        "reservations.Reservation", on_delete=models.PROTECT, related_name="fallbacks", verbose_name=_("reservation")
    )
    lock = models.ForeignKey("locks.Lock", on_delete=models.PROTECT, related_name="fallbacks", verbose_name=_("lock"))
    shut_from = models.DateTimeField(_("shut from"), help_text=_("from when no code of the guest's would open"))
    warned_at = models.DateTimeField(_("an operator was told"), null=True, blank=True)
    called_at = models.DateTimeField(_("a person was called: no replacement"), null=True, blank=True)
    kind = models.CharField(_("replacement"), max_length=8, choices=Kind, default=Kind.NONE, blank=True)
    credential = models.OneToOneField(
        "locks.Credential", on_delete=models.PROTECT, related_name="fallback", null=True, blank=True,
        verbose_name=_("backup PIN"), help_text=_("handed out to nobody else, ever"),
    )  # fmt: skip
    provider_ref = models.CharField(max_length=64, blank=True, help_text=_("the provider's id of an offline code"))
    code_sealed = models.BinaryField(blank=True, default=b"", editable=False)
    code_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    handed_out_at = models.DateTimeField(_("handed out"), null=True, blank=True)
    starts_at = models.DateTimeField(_("opens from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("opens until"), null=True, blank=True)
    stranded_at = models.DateTimeField(
        _("outlived its right"), null=True, blank=True, help_text=_("an offline code whose stay was ended")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["shut_from", "id"]
        verbose_name = _("replacement of a PIN")
        verbose_name_plural = _("replacements of PINs")
        constraints = [
            models.UniqueConstraint(fields=["reservation", "lock", "shut_from"], name="fallback_once_per_shut_door"),
            models.CheckConstraint(
                condition=Q(kind="", handed_out_at__isnull=True, credential__isnull=True)
                | Q(kind="backup", handed_out_at__isnull=False, credential__isnull=False, code_sealed=b"")
                | Q(kind="offline", handed_out_at__isnull=False, credential__isnull=True, ends_at__isnull=False),
                name="fallback_of_one_kind",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True, ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="fallback_window_in_order",
            ),
        ]
        indexes = [models.Index(fields=["kind", "ends_at"], name="fallback_by_end")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.reservation_id} at {self.lock_id}"

    @property
    def fingerprint(self) -> str:
        """Of the digits that were handed out."""
        return self.credential.pin_fingerprint if self.credential is not None else self.code_fingerprint

    @property
    def sealed(self) -> bytes:
        """The digits; empty once they are no longer needed."""
        return bytes(self.credential.pin_sealed if self.credential is not None else self.code_sealed)

    def is_backup(self) -> bool:
        """Whether the guest has a backup PIN that has not been taken away: then her own is not wanted on this lock."""
        return self.credential is not None and self.credential.wanted

    def holds(self, now: datetime) -> bool:
        """Whether this is what the guest should use there. An offline code cannot be taken away; it ends on the full
        hour, perhaps before she leaves: from then on it is her own PIN again.
        """
        if self.kind == self.Kind.OFFLINE:
            return self.ends_at is not None and now < self.ends_at
        return self.is_backup()

    def way(self, stay: Window) -> Window | None:
        """When it opens the door, as far as that was proven. One that ends in the stay's last hour is taken for enough:
        offline codes count in full hours.
        """
        if self.kind == self.Kind.OFFLINE:
            ends_at = self.ends_at
            if ends_at is not None and stay.ends_at - HOUR < ends_at:
                ends_at = stay.ends_at
        else:
            standing = self.credential.standing() if self.credential is not None and self.is_backup() else None
            ends_at = standing.ends_at if standing is not None else None
        return Window(self.shut_from, ends_at) if ends_at is not None and ends_at > self.shut_from else None
