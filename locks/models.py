"""Locks, which unit they serve, and who has a code of their own. What is on a lock: ``locks.credentials``."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from locks.credentials import Credential as Credential  # rows of their own, in files of their own
from locks.credentials import total_exposure as total_exposure
from locks.fallback_rows import Fallback as Fallback
from locks.observations import BatteryReading as BatteryReading
from locks.observations import LockEvent as LockEvent
from locks.observations import LockIncident as LockIncident
from locks.observations import LockReport as LockReport
from locks.observations import Opening as Opening
from locks.provider import Device, Radio
from reservations.models import Accommodation, Reservation


class LockQuerySet(models.QuerySet["Lock"]):
    def with_codes(self) -> LockQuerySet:
        """With ``codes``: how many PINs of ours each may hold. Per lock shown, not over all that it ever held."""
        held = Credential.objects.filter(lock=OuterRef("pk"), removed_at__isnull=True, asked_at__isnull=False)
        count = held.order_by().values("lock").annotate(count=Count("pk")).values("count")
        return self.annotate(codes=Coalesce(Subquery(count), 0))


class Lock(models.Model):
    """A door's lock. What it can hold (digits, how many codes) differs by model, so it is written here."""

    class Provider(models.TextChoices):
        TUYA = "tuya", "Tuya"

    class Radio(models.TextChoices):
        WIFI = "wifi", _("Wi-Fi (sleeps)")
        ZIGBEE = "zigbee", "Zigbee"
        BLE = "ble", "Bluetooth"

    PIN_LENGTHS = {Radio.WIFI: 7, Radio.ZIGBEE: 6, Radio.BLE: 6}

    name = models.CharField(_("name"), max_length=100)
    provider = models.CharField(_("provider"), max_length=16, choices=Provider, default=Provider.TUYA)
    device_id = models.CharField(_("device id"), max_length=64)
    radio = models.CharField(_("radio"), max_length=8, choices=Radio)
    pin_length = models.PositiveSmallIntegerField(
        _("PIN length"), null=True, blank=True, help_text=_("blank = by radio: Wi-Fi 7, Zigbee and Bluetooth 6")
    )
    pin_digits = models.CharField(
        _("digits it takes"), max_length=10, default="0123456789", help_text=_("some keypads lack digits")
    )
    capacity = models.PositiveSmallIntegerField(_("codes it can hold"), default=10)
    backup_pins = models.PositiveSmallIntegerField(
        _("backup PINs"), null=True, blank=True,
        help_text=_("kept on the lock for guests whose PIN it does not take in time; blank = the general setting"),
    )  # fmt: skip
    offline_codes = models.BooleanField(
        _("takes offline codes"), null=True, blank=True,
        help_text=_("unknown = tried only when there is no backup PIN; they cannot be revoked"),
    )  # fmt: skip
    lead_minutes = models.PositiveIntegerField(
        _("lead (minutes)"), null=True, blank=True, help_text=_("how long before check-in; blank = the general setting")
    )
    online = models.BooleanField(_("online"), null=True, editable=False)
    battery_percent = models.PositiveSmallIntegerField(_("battery"), null=True, editable=False)
    battery_at = models.DateTimeField(_("battery as of"), null=True, editable=False)
    seen_at = models.DateTimeField(_("last read"), null=True, editable=False)
    heard_at = models.DateTimeField(_("last sign of life"), null=True, editable=False)
    log_read_at = models.DateTimeField(_("open log read until"), null=True, editable=False)
    alarms_read_at = models.DateTimeField(_("alarms read until"), null=True, editable=False)
    read_failed_at = models.DateTimeField(_("could not be read"), null=True, editable=False)
    accommodations = models.ManyToManyField(
        Accommodation, through="AccommodationLock", related_name="locks", verbose_name=_("accommodations")
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LockQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("lock")
        verbose_name_plural = _("locks")
        constraints = [
            models.UniqueConstraint(fields=["provider", "device_id"], name="lock_one_per_device"),
            models.CheckConstraint(
                condition=Q(pin_length__isnull=True) | Q(pin_length__range=(4, 10)), name="lock_pin_length_4_to_10"
            ),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="lock_holds_at_least_one"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def digits_needed(self) -> int:
        return self.pin_length or self.PIN_LENGTHS[Lock.Radio(self.radio)]

    @property
    def sleeps(self) -> bool:
        """A Wi-Fi lock sleeps until somebody touches it; the others are reached through a gateway."""
        return self.radio == Lock.Radio.WIFI

    @property
    def rouse_hint(self) -> str:
        """What to add when this lock does not answer."""
        if self.sleeps:
            return " It sleeps: touching its keypad wakes it."
        return " It is reached through its gateway: check the gateway's power and network."

    @property
    def device(self) -> Device:
        return Device(device_id=self.device_id, radio=cast(Radio, self.radio))


class AccommodationLock(models.Model):
    """This lock opens this unit. A unit may have several (gate and door), and a gate may serve several units."""

    accommodation = models.ForeignKey(Accommodation, on_delete=models.CASCADE, verbose_name=_("accommodation"))
    lock = models.ForeignKey(Lock, on_delete=models.CASCADE, verbose_name=_("lock"))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("lock of a unit")
        verbose_name_plural = _("locks of units")
        constraints = [models.UniqueConstraint(fields=["accommodation", "lock"], name="accommodation_lock_linked_once")]

    def __str__(self) -> str:
        return f"{self.lock} → {self.accommodation}"


class StaffCode(models.Model):
    """A code for cleaners, owners, craftsmen: a person, some doors, a window. ``locks.staff`` writes."""

    name = models.CharField(_("what for"), max_length=100)
    person = models.CharField(_("person"), max_length=100, blank=True)
    locks = models.ManyToManyField(Lock, related_name="staff_codes", blank=True, verbose_name=_("doors"))
    accommodations = models.ManyToManyField(
        Accommodation, related_name="staff_codes", blank=True, verbose_name=_("all doors of these units")
    )
    starts_at = models.DateTimeField(_("opens from"))
    ends_at = models.DateTimeField(_("opens until"))
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("staff code")
        verbose_name_plural = _("staff codes")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="staff_code_window_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.person})" if self.person else self.name

    def is_in_force(self, now: datetime) -> bool:
        """Whether it opens its doors, or will."""
        return self.active and now < self.ends_at

    @property
    def subject(self) -> str:
        """How jobs and audit entries name this code."""
        return f"staff:{self.pk}"


class Withdrawal(models.Model):
    """An operator took this stay's PINs away; while the row exists, its booking entitles it to none."""

    reservation = models.OneToOneField(
        Reservation, on_delete=models.CASCADE, related_name="withdrawal", verbose_name=_("reservation")
    )
    actor = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")

    def __str__(self) -> str:
        return f"{self.reservation_id} by {self.actor}"


class ProviderUsage(models.Model):
    """How many calls a month cost a provider's account, for the quota of its plan. Filled by ``locks.usage``."""

    provider = models.CharField(_("provider"), max_length=16, choices=Lock.Provider)
    account = models.CharField(_("account"), max_length=64)
    month = models.DateField(_("month"), help_text=_("its first day, in UTC"))
    calls = models.PositiveBigIntegerField(_("calls"), default=0)
    warned_percent = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-month"]
        verbose_name = _("calls in a month")
        verbose_name_plural = _("calls in a month")
        constraints = [models.UniqueConstraint(fields=["provider", "account", "month"], name="usage_one_row_per_month")]

    def __str__(self) -> str:
        return f"{self.provider} {self.month:%Y-%m}: {self.calls}"
