"""The sources of bookings: listings and who they are here, iCal feeds, runs of the poll, signs of life."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.timezone import now as present
from django.utils.translation import gettext_lazy as _

from reservations.models.stays import Accommodation, Reservation


class Listing(models.Model):
    """A listing of the Stays account as the last listing sync saw it, and what it proposes.

    Several listings (a master and its children) may be one unit here. Only a person maps a listing or takes over a
    proposal: ``accommodation`` and the unit's zone are never changed by a sync.
    """

    external_id = models.CharField(_("Stays listing _id"), max_length=64, unique=True)
    short_id = models.CharField(_("short id"), max_length=32, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    status = models.CharField(_("status at Stays"), max_length=16, blank=True)
    place = models.CharField(_("place"), max_length=120, blank=True)
    accommodation = models.ForeignKey(
        Accommodation, on_delete=models.SET_NULL, null=True, blank=True, related_name="listings",
        verbose_name=_("accommodation"),
    )  # fmt: skip
    proposed_timezone = models.CharField(_("proposed time zone"), max_length=64, blank=True)
    zone_reason = models.CharField(_("because of"), max_length=200, blank=True)
    check_in_time = models.TimeField(_("check-in time"), null=True, blank=True)
    check_out_time = models.TimeField(_("check-out time"), null=True, blank=True)
    ignored = models.BooleanField(_("ignored"), default=False, help_text=_("not ours to open: nothing is proposed"))
    seen_at = models.DateTimeField(_("last seen"))
    created_at = models.DateTimeField(default=present, editable=False)

    class Meta:
        ordering = ["name", "external_id"]
        verbose_name = _("listing")
        verbose_name_plural = _("listings")

    def __str__(self) -> str:
        return f"{self.name} ({self.short_id})" if self.short_id else self.name or self.external_id


class Feed(models.Model):
    """An iCal address of one unit. The address holds a token, so it is sealed, and shown by its host and end only."""

    accommodation = models.ForeignKey(
        Accommodation, on_delete=models.CASCADE, related_name="feeds", verbose_name=_("accommodation")
    )
    address_sealed = models.BinaryField(editable=False)
    address_hint = models.CharField(_("address"), max_length=120, editable=False)
    active = models.BooleanField(_("active"), default=True)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last asked"), null=True, editable=False)
    heard_at = models.DateTimeField(_("last good answer"), null=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False, help_text="when the whole feed was last read")
    error = models.CharField(_("trouble"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(default=present, editable=False)

    class Meta:
        ordering = ["accommodation", "id"]
        verbose_name = _("iCal feed")
        verbose_name_plural = _("iCal feeds")

    def __str__(self) -> str:
        return self.address_hint


class FeedEntry(models.Model):
    """An event of a feed, and the stay it is here: one of its own, or the one that Stays tells as well."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="entries")
    uid = models.CharField(max_length=255)
    reservation = models.ForeignKey(Reservation, on_delete=models.SET_NULL, null=True, related_name="feed_entries")
    absences = models.PositiveSmallIntegerField(default=0, help_text="good readings in a row that did not have it")
    absent_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("feed entry")
        verbose_name_plural = _("feed entries")
        constraints = [models.UniqueConstraint(fields=["feed", "uid"], name="feed_entry_once")]

    def __str__(self) -> str:
        return self.uid


class SyncRun(models.Model):
    """One walk through the stays of Stays. A run that was cut off is taken up again where it was."""

    class State(models.TextChoices):
        # In: start, or taken up again. A crash leaves it here; when its lease has run out the next tick goes on.
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        # Cut off, and nobody went on with it in time.
        ABANDONED = "abandoned", _("abandoned")

    key = models.CharField(_("what"), max_length=64, help_text="two runs with the same key never run at once")
    start = models.DateField(_("from"))
    end = models.DateField(_("to"))
    full = models.BooleanField(_("in full"), default=False)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.RUNNING)
    actor = models.CharField(_("by"), max_length=150, default="system")
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    resumed = models.PositiveIntegerField(_("taken up again"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("of"), default=0)
    seen = models.PositiveIntegerField(_("seen"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)
    problems = models.JSONField(_("problems"), default=list)
    error = models.TextField(_("trouble"), blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(state="running"), name="sync_one_at_a_time"),
        ]
        indexes = [models.Index(fields=["key", "-finished_at"], name="sync_by_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.start} – {self.end}"


class SourceState(models.Model):
    """What we remember of a source, such as ``stays-webhooks``: its alarm, and what only the poll told."""

    name = models.CharField(max_length=64, primary_key=True)
    watched_since = models.DateTimeField()
    alarmed_at = models.DateTimeField(null=True, blank=True)
    found_by_poll = models.PositiveBigIntegerField(
        default=0, help_text="stays that were new, other or gone at Stays without any webhook having told us"
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name
