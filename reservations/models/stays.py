"""Units and stays: facts and small questions. ``reservations.services`` is the only writer."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now as present
from django.utils.translation import gettext_lazy as _


def validate_zone(name: str) -> None:
    """Refuse what is not an IANA time zone such as America/Sao_Paulo."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(name)s is not an IANA time zone; write it like America/Sao_Paulo."), params={"name": name}
        )


class Accommodation(models.Model):
    """A unit that guests rent. Stays gives no zone, so the unit holds it, with the times that apply by default."""

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(
        _("Stays listing _id"), max_length=64, blank=True, help_text=_("long id of the listing; blank = not from Stays")
    )
    short_id = models.CharField(_("short id"), max_length=32, blank=True)
    timezone = models.CharField(_("time zone"), max_length=64, default="America/Sao_Paulo", validators=[validate_zone])
    check_in_time = models.TimeField(_("check-in time"), default=time(15, 0))
    check_out_time = models.TimeField(_("check-out time"), default=time(11, 0))
    grace_minutes = models.PositiveSmallIntegerField(
        _("grace (minutes)"), default=0, help_text=_("how long after check-out the PIN still opens")
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("an inactive unit gets no PINs, and those it has are removed")
    )
    created_at = models.DateTimeField(default=present, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("accommodation")
        verbose_name_plural = _("accommodations")
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="accommodation_one_per_listing"
            ),
            models.CheckConstraint(condition=Q(grace_minutes__lte=1440), name="accommodation_grace_at_most_a_day"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


class Reservation(models.Model):
    """A stay: a guest, a unit and a window. The local times are the guest's promise, the UTC instants the machine's."""

    class Status(models.TextChoices):
        """The words of Stays' ``type``, and ``deleted`` for what is gone there."""

        RESERVED = "reserved", _("pre-booked")
        BOOKED = "booked", _("booked")
        CONTRACT = "contract", _("contract")
        BLOCKED = "blocked", _("blocked")
        MAINTENANCE = "maintenance", _("maintenance")
        CANCELED = "canceled", _("cancelled")
        DELETED = "deleted", _("deleted")

    class Source(models.TextChoices):
        STAYS = "stays", "Stays"
        ICAL = "ical", _("iCal feed")
        MANUAL = "manual", _("entered by hand")

    CONFIRMED = (Status.BOOKED, Status.CONTRACT)

    source = models.CharField(_("source"), max_length=16, choices=Source, default=Source.STAYS)
    external_id = models.CharField(_("Stays _id"), max_length=64)
    short_id = models.CharField(_("short id"), max_length=32, blank=True)
    partner_code = models.CharField(_("partner code"), max_length=64, blank=True)
    accommodation = models.ForeignKey(
        Accommodation, on_delete=models.PROTECT, related_name="reservations", verbose_name=_("accommodation")
    )
    status = models.CharField(_("status"), max_length=16, choices=Status)
    check_in_date = models.DateField(_("check-in date"))
    check_in_time = models.TimeField(_("check-in time"), null=True, blank=True, help_text=_("blank = the unit's"))
    check_out_date = models.DateField(_("check-out date"))
    check_out_time = models.TimeField(_("check-out time"), null=True, blank=True, help_text=_("blank = the unit's"))
    check_in_at = models.DateTimeField(_("check-in (UTC)"), editable=False)
    check_out_at = models.DateTimeField(_("check-out (UTC)"), editable=False)
    guest_name = models.CharField(_("guest"), max_length=200, blank=True)
    guest_email = models.EmailField(_("e-mail"), blank=True)
    guest_phone = models.CharField(_("phone"), max_length=40, blank=True)
    guest_language = models.CharField(_("language"), max_length=10, blank=True)
    # What an operator agreed with the guest for this one stay: it wins over the source, and no sync undoes it.
    agreed_check_in_time = models.TimeField(_("agreed check-in"), null=True, blank=True)
    agreed_check_out_time = models.TimeField(_("agreed check-out"), null=True, blank=True)
    agreed_by = models.CharField(_("agreed by"), max_length=150, blank=True, editable=False)
    agreed_at = models.DateTimeField(null=True, blank=True, editable=False)
    unmapped_listing = models.CharField(
        max_length=64, blank=True, editable=False,
        help_text=_("the source moved the stay to this listing, which no unit has: no PIN until somebody maps it"),
    )  # fmt: skip
    extra = models.JSONField(default=dict, blank=True, editable=False, help_text="what the source said beyond this")
    guest_erased_at = models.DateTimeField(null=True, blank=True, editable=False)
    facts_at = models.DateTimeField(editable=False, help_text=_("when the source said so; older facts are ignored"))
    created_at = models.DateTimeField(default=present, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["check_in_at", "id"]
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        permissions = [("view_contacts", "Can see guests' e-mail addresses and telephone numbers")]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="reservation_once_per_source"),
            models.CheckConstraint(condition=Q(check_out_at__gt=F("check_in_at")), name="reservation_ends_after_start"),
        ]
        indexes = [
            models.Index(fields=["accommodation", "check_in_at"], name="reservation_by_unit"),
            models.Index(fields=["status", "check_in_at"], name="reservation_arrivals"),
            models.Index(fields=["status", "check_out_at"], name="reservation_departures"),
            models.Index(fields=["-check_in_at", "-id"], name="reservation_latest_first"),
            models.Index(fields=["-updated_at", "-id"], name="reservation_by_change"),
            models.Index(fields=["short_id"], name="reservation_by_short_id"),
            models.Index(fields=["check_out_at"], name="reservation_by_end"),
            models.Index(fields=["partner_code"], condition=~Q(partner_code=""), name="reservation_by_partner_code"),
            models.Index(
                fields=["check_out_at"], condition=Q(guest_erased_at__isnull=True), name="reservation_guest_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.short_id or self.external_id} {self.guest_name}".strip()

    @property
    def subject(self) -> str:
        """How jobs and audit entries name this stay."""
        return f"reservation:{self.pk}"

    def is_confirmed(self) -> bool:
        """Booked, and in a unit we know: the source may have moved it to a listing that nobody has mapped yet."""
        return self.status in self.CONFIRMED and not self.unmapped_listing

    def is_over(self, now: datetime) -> bool:
        return self.check_out_at <= now

    def overlapping(self) -> models.QuerySet[Reservation]:
        """Other confirmed stays in the same unit whose time overlaps this one's."""
        return Reservation.objects.filter(
            accommodation_id=self.accommodation_id, status__in=self.CONFIRMED, unmapped_listing="",
            check_in_at__lt=self.check_out_at, check_out_at__gt=self.check_in_at,
        ).exclude(pk=self.pk)  # fmt: skip
