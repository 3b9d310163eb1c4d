"""A PIN of somebody on a lock: what is wished, what was asked, what was seen. ``locks.issue`` and ``remove`` write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from locks.provider import Window
from reservations.models import Reservation

if TYPE_CHECKING:
    from locks.models import Lock, StaffCode


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
        "locks.StaffCode", on_delete=models.PROTECT, related_name="credentials", verbose_name=_("staff code"),
        null=True, blank=True,
    )  # fmt: skip
    slot = models.PositiveSmallIntegerField(default=0, help_text=_("tells the PINs of one pool apart"))
    lock = models.ForeignKey("locks.Lock", on_delete=models.PROTECT, related_name="credentials", verbose_name=_("lock"))
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
        return f"{self.name} → {self.lock_id}"

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
