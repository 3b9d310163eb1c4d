"""What was learnt about a lock over time: who came in, what it complained of, its battery, what it was found to hold.

Facts only, and never a PIN. ``openings``, ``devices``, ``incidents`` and ``reconcile`` write them.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Opening(models.Model):
    """The door was opened. ``credential`` is whose PIN did it, as far as can be told; ``matched_by`` says how."""

    class Who(models.TextChoices):
        GUEST = "guest", _("guest")
        BACKUP = "backup", _("guest, with a backup PIN")
        STAFF = "staff", _("staff")
        UNKNOWN = "unknown", _("not one of our PINs")

    class Match(models.TextChoices):
        NONE = "", _("not matched")
        # The lock named the very PIN.
        REFERENCE = "ref", _("by the PIN's number")
        # Wi-Fi locks count from 0, their cloud from 900, and not all of them say which.
        OFFSET = "offset", _("by the PIN's number, counted from 900")
        # No number, or none that is known: only one PIN of ours opened this door at that time.
        WINDOW = "window", _("by its time: the only PIN that opened then")

    lock = models.ForeignKey("locks.Lock", on_delete=models.CASCADE, related_name="openings", verbose_name=_("lock"))
    at = models.DateTimeField(_("at"))
    method = models.CharField(_("how"), max_length=32, help_text=_("the lock's word, such as temporary or fingerprint"))
    ref = models.CharField(max_length=64, blank=True, help_text=_("the number the lock gave, if any"))
    name = models.CharField(_("name on the lock"), max_length=100, blank=True)
    credential = models.ForeignKey(
        "locks.Credential", on_delete=models.SET_NULL, null=True, blank=True, related_name="openings",
        verbose_name=_("credential"),
    )  # fmt: skip
    fallback = models.ForeignKey(
        "locks.Fallback", on_delete=models.SET_NULL, null=True, blank=True, related_name="openings",
        verbose_name=_("offline code"), help_text=_("when an offline code did it, which is no credential"),
    )  # fmt: skip
    who = models.CharField(_("who"), max_length=8, choices=Who, default=Who.UNKNOWN)
    matched_by = models.CharField(_("told by"), max_length=8, choices=Match, blank=True, default=Match.NONE)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("opening")
        verbose_name_plural = _("openings")
        constraints = [
            models.UniqueConstraint(fields=["lock", "at", "method", "ref"], name="opening_recorded_once"),
            models.CheckConstraint(
                condition=Q(who="unknown") | ~Q(matched_by=""), name="opening_known_by_some_means"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["lock", "-at"], name="opening_by_lock")]

    def __str__(self) -> str:
        return f"{self.lock_id} opened by {self.who}"


class LockEvent(models.Model):
    """Something a lock reported that is no opening: a wrong PIN, an alarm."""

    class Kind(models.TextChoices):
        """The words are those of ``provider.AlarmKind``."""

        WRONG_PIN = "wrong_pin", _("wrong PIN")
        WRONG_KEY = "wrong_key", _("unknown finger, card or face")
        TAMPER = "tamper", _("pried, shaken or forced")
        DURESS = "duress", _("opened under threat")
        JAMMED = "jammed", _("the bolt is stuck")
        LEFT_OPEN = "left_open", _("left open")
        LOW_BATTERY = "low_battery", _("low battery")
        DOORBELL = "doorbell", _("doorbell")
        OTHER = "other", _("another report")

    lock = models.ForeignKey("locks.Lock", on_delete=models.CASCADE, related_name="events", verbose_name=_("lock"))
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    word = models.CharField(_("the lock's word"), max_length=64, blank=True)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("report of a lock")
        verbose_name_plural = _("reports of locks")
        constraints = [models.UniqueConstraint(fields=["lock", "at", "kind", "word"], name="lock_event_recorded_once")]
        indexes = [models.Index(fields=["lock", "-at"], name="lock_event_by_lock")]

    def __str__(self) -> str:
        return f"{self.lock_id}: {self.kind}"


class BatteryReading(models.Model):
    """A battery level that differs from the one before it. The last few of a lock are kept, for its trend."""

    KEPT = 60

    lock = models.ForeignKey("locks.Lock", on_delete=models.CASCADE, related_name="batteries", verbose_name=_("lock"))
    at = models.DateTimeField(_("at"))
    percent = models.PositiveSmallIntegerField(_("battery"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("battery reading")
        verbose_name_plural = _("battery readings")
        indexes = [models.Index(fields=["lock", "-at"], name="battery_by_lock")]

    def __str__(self) -> str:
        return f"{self.lock_id}: {self.percent} %"


class LockIncident(models.Model):
    """A trouble of a lock from its beginning to its end. The operators are told once while it lasts."""

    class Kind(models.TextChoices):
        BATTERY = "battery_low", _("battery low")
        SILENT = "silent", _("silent")
        TAMPER = "tamper", _("tampered with")
        WRONG_PINS = "wrong_pins", _("wrong PINs, again and again")
        CLOCK = "clock", _("its clock seems wrong")

    lock = models.ForeignKey("locks.Lock", on_delete=models.CASCADE, related_name="incidents", verbose_name=_("lock"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    began_at = models.DateTimeField(_("began"))
    last_at = models.DateTimeField(_("last sign of it"))
    told_at = models.DateTimeField(_("operators told"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    off_minutes = models.IntegerField(
        null=True, editable=False, help_text=_("how far its clock is off at least, ahead above zero")
    )

    class Meta:
        ordering = ["-began_at", "-id"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.UniqueConstraint(
                fields=["lock", "kind"], condition=Q(ended_at__isnull=True), name="incident_one_open_of_a_kind"
            )
        ]
        indexes = [models.Index(fields=["lock", "-began_at"], name="incident_by_lock")]

    def __str__(self) -> str:
        return f"{self.lock_id}: {self.kind}"

    @property
    def clock_off(self) -> timedelta | None:
        """Of a wrong clock: how far it is off at least, ahead above zero; None as long as that is a suspicion."""
        return None if self.off_minutes is None else timedelta(minutes=self.off_minutes)


class LockReport(models.Model):
    """What the last reconciliation of a lock found. ``found`` has the lists, by name and number; never a PIN."""

    lock = models.OneToOneField(
        "locks.Lock", on_delete=models.CASCADE, related_name="report", verbose_name=_("lock"), primary_key=True
    )
    tried_at = models.DateTimeField(_("tried"))
    checked_at = models.DateTimeField(_("read"), null=True, blank=True, help_text=_("when it last could be read"))
    actor = models.CharField(_("by"), max_length=150)
    error = models.TextField(_("error"), blank=True)
    held = models.PositiveSmallIntegerField(_("codes on it"), null=True, blank=True)
    found = models.JSONField(_("found"), default=dict, blank=True)
    missing = models.PositiveSmallIntegerField(_("missing"), default=0)
    unwanted = models.PositiveSmallIntegerField(_("unwanted"), default=0)
    foreign = models.PositiveSmallIntegerField(_("foreign"), default=0)
    changed = models.PositiveSmallIntegerField(_("changed by hand"), default=0)
    mending = models.PositiveSmallIntegerField(_("being put right"), default=0)

    class Meta:
        verbose_name = _("reconciliation report")
        verbose_name_plural = _("reconciliation reports")

    def __str__(self) -> str:
        return f"{self.lock_id}: {self.missing + self.unwanted + self.changed} differences"
