"""Locks, which unit they serve, and the credentials on them. ``locks.issue``, ``remove`` and ``planning`` write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from django.db import models
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from locks.fallback_rows import Fallback as Fallback  # a row of its own, in a file of its own
from locks.observations import BatteryReading as BatteryReading  # rows of their own, in a file of their own
from locks.observations import LockEvent as LockEvent
from locks.observations import LockIncident as LockIncident
from locks.observations import LockReport as LockReport
from locks.observations import Opening as Opening
from locks.provider import Device, Radio, Window
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
    def sleep_hint(self) -> str:
        """What to add when this lock does not answer: a Wi-Fi lock sleeps until somebody touches it."""
        return " It sleeps: touching its keypad wakes it." if self.radio == Lock.Radio.WIFI else ""

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


class Credential(models.Model):
    """One PIN of one holder on one lock: the wish, what was asked of the lock, and what the lock was seen to hold.

    The holder is a stay, a staff code or the lock's own pool of backups (``locks.holders``).

    Wish: ``wanted``, ``starts_at``, ``ends_at``. Asked: ``asked_*``, sent and not yet proven. Observed: ``state`` and
    ``lock_*``, with ``proven_at``. The plain PIN is nowhere: a bcrypt hash, a sealed copy that is erased once the
    removal is proven, and a keyed fingerprint to compare with.
    """

    class Purpose(models.TextChoices):
        GUEST = "guest", _("guest")
        BACKUP = "backup", _("backup")
        STAFF = "staff", _("staff")

    class State(models.TextChoices):
        UNKNOWN = "unknown", _("unknown: the lock's answer could not be read")
        ABSENT = "absent", _("not on the lock")
        REQUESTED = "requested", _("requested, not yet proven")
        ON_LOCK = "on_lock", _("proven on the lock")
        REMOVING = "removing", _("being removed")
        FAILED = "failed", _("the lock refused it")

    UNHASHED = Q(pin_hash="") & ~Q(pin_sealed=b"")

    purpose = models.CharField(_("purpose"), max_length=8, choices=Purpose, default=Purpose.GUEST)
    reservation = models.ForeignKey(
        Reservation, on_delete=models.PROTECT, related_name="credentials", verbose_name=_("reservation"), null=True,
        blank=True,
    )  # fmt: skip
    staff_code = models.ForeignKey(
        StaffCode, on_delete=models.PROTECT, related_name="credentials", verbose_name=_("staff code"), null=True,
        blank=True,
    )  # fmt: skip
    slot = models.PositiveSmallIntegerField(default=0, help_text=_("tells the PINs of one pool apart"))
    lock = models.ForeignKey(Lock, on_delete=models.PROTECT, related_name="credentials", verbose_name=_("lock"))
    name = models.CharField(max_length=20, help_text=_("its unique name on the lock, by which it is found again"))
    pin_hash = models.CharField(max_length=100, blank=True, editable=False)
    pin_sealed = models.BinaryField(blank=True, default=b"", editable=False)
    pin_fingerprint = models.CharField(max_length=64, editable=False)

    wanted = models.BooleanField(_("wanted"), default=True)
    unwanted_at = models.DateTimeField(null=True, blank=True)  # from when on it should be gone, if before its end
    starts_at = models.DateTimeField(_("opens from"))
    ends_at = models.DateTimeField(_("opens until"))

    asked_at = models.DateTimeField(null=True, blank=True, help_text=_("when the last write to the lock was begun"))
    asked_starts_at = models.DateTimeField(null=True, blank=True)
    asked_ends_at = models.DateTimeField(null=True, blank=True)
    provider_ref = models.CharField(max_length=64, blank=True, help_text=_("the provider's id of it"))

    state = models.CharField(_("on the lock"), max_length=16, choices=State, default=State.ABSENT)
    proven_at = models.DateTimeField(_("last proof"), null=True, blank=True)
    lock_starts_at = models.DateTimeField(null=True, blank=True)
    lock_ends_at = models.DateTimeField(null=True, blank=True)
    first_used_at = models.DateTimeField(_("first use"), null=True, blank=True)
    removal_tried_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(_("removal proven"), null=True, blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    revealed_at = models.DateTimeField(null=True, blank=True, help_text=_("when an operator was shown the digits"))
    last_error = models.TextField(_("last error"), blank=True)
    error_code = models.CharField(max_length=40, blank=True, help_text=_("the last error's stable word"))
    bridges = models.BooleanField(default=False, help_text=_("stays on the lock until the one after it is proven"))
    writes = models.PositiveSmallIntegerField(default=0, help_text=_("writes to the lock in the hour of the brake"))
    writes_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        permissions = [("reveal_pin", "Can be shown a live PIN, which is recorded")]
        constraints = [
            models.UniqueConstraint(
                fields=["reservation", "lock"], condition=Q(wanted=True), name="credential_one_wanted_per_door"
            ),
            models.UniqueConstraint(
                fields=["staff_code", "lock"], condition=Q(wanted=True), name="credential_one_wanted_per_staff_door"
            ),
            models.UniqueConstraint(
                fields=["lock", "slot"],
                condition=Q(wanted=True, purpose="backup"),
                name="credential_one_wanted_per_slot",
            ),
            models.CheckConstraint(
                condition=Q(purpose="guest", reservation__isnull=False, staff_code__isnull=True)
                | Q(purpose="staff", reservation__isnull=True, staff_code__isnull=False)
                | Q(purpose="backup", reservation__isnull=True, staff_code__isnull=True),
                name="credential_has_the_holder_of_its_purpose",
            ),
            models.UniqueConstraint(fields=["lock", "name"], name="credential_name_unique_on_lock"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="credential_window_in_order"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(pin_sealed=b""), name="credential_erased_when_removed"
            ),
        ]
        indexes = [
            models.Index(fields=["lock", "removed_at"], name="credential_by_lock"),
            models.Index(fields=["reservation"], name="credential_by_stay"),
            models.Index(fields=["state", "ends_at"], name="credential_by_state"),
            models.Index(fields=["id"], condition=Q(pin_hash="") & ~Q(pin_sealed=b""), name="credential_unhashed"),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.lock_id}"

    @property
    def subject(self) -> str:
        """Whose it is, as jobs and audit entries name it: the subject of its holder."""
        if self.reservation_id is not None:
            return f"reservation:{self.reservation_id}"
        return f"staff:{self.staff_code_id}" if self.staff_code_id is not None else f"lock:{self.lock_id}"

    @property
    def owner(self) -> Reservation | StaffCode | Lock:
        """The row it belongs to; a backup belongs to its lock."""
        return self.reservation or self.staff_code or self.lock

    @property
    def wish(self) -> Window:
        return Window(self.starts_at, self.ends_at)

    @property
    def asked(self) -> Window | None:
        if self.asked_starts_at is None or self.asked_ends_at is None:
            return None
        return Window(self.asked_starts_at, self.asked_ends_at)

    @property
    def proven(self) -> Window | None:
        if self.lock_starts_at is None or self.lock_ends_at is None:
            return None
        return Window(self.lock_starts_at, self.lock_ends_at)

    def standing(self) -> Window | None:
        """What the lock was last seen to hold, also while a change of it is on its way. None: perhaps nothing."""
        there = self.provider_ref and self.state in (self.State.ON_LOCK, self.State.REQUESTED, self.State.UNKNOWN)
        return self.proven if there else None

    def is_proven(self) -> bool:
        """Whether the lock was seen to hold it as it was last asked to."""
        return self.state == self.State.ON_LOCK

    def is_gone(self) -> bool:
        """Proven to be off the lock, or never sent to it."""
        return self.removed_at is not None

    @property
    def pending_change(self) -> tuple[Window, Window] | None:
        """From which window to which the lock has yet to go; None when there is no such change under way."""
        known = self.proven or self.asked
        return (known, self.wish) if self.wanted and known is not None and known != self.wish else None

    @property
    def closes_at(self) -> datetime:
        """From when on it should be off the lock: its end, or the moment in which somebody ended the right to it.

        One that bridges has no such moment before the one after it is proven.
        """
        return min(self.ends_at, self.unwanted_at or self.ends_at)

    def exposure(self, now: datetime) -> timedelta:
        """How long it was, or still is, on the lock after its end; zero when it went in time or was never sent."""
        if self.asked_at is None and self.proven_at is None:
            return timedelta(0)
        return max(timedelta(0), (self.removed_at or now) - self.closes_at)


def total_exposure(credentials: Iterable[Credential], now: datetime) -> timedelta:
    """Of all PINs of a stay together: two that stayed behind for an hour each are two hours."""
    return sum((one.exposure(now) for one in credentials), timedelta(0))


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
